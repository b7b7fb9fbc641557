#!/usr/bin/env bash
# Times a forward and backward pass of the example nets on constant data with
# gocaffe and, if CAFFE names its binary, with real Caffe, in turns, and prints
# milliseconds and their ratio.
#
#   [CAFFE=path/to/caffe] bench/nets.sh [iterations [net...]]
set -euo pipefail
cd "$(dirname "$0")/.."
iterations=${1:-10}
shift || true
nets=("$@")
[ ${#nets[@]} -gt 0 ] || nets=(mnist/lenet_train_test cifar10/quick_train_test alexnet/train_val googlenet/train_val
  vgg16/train_val squeezenet/train_val resnet50/train_val mobilenet/train_val)

# average COMMAND NET prints the milliseconds of `time`.
average() {
  "$1" time -model "examples/$2.prototxt" -stage dummy -iterations "$3" 2>&1 |
    awk '/Average Forward-Backward:/{print $(NF-1)}'
}

printf '%-26s %12s %12s %8s\n' net 'gocaffe ms' 'caffe ms' ratio
for net in "${nets[@]}"; do
  ours=$(average bin/gocaffe "$net" "$iterations")
  theirs=$([ -z "${CAFFE:-}" ] || average "$CAFFE" "$net" $(((iterations + 2) / 3)))
  awk -v n="$net" -v a="$ours" -v b="$theirs" 'BEGIN{printf "%-26s %12.1f %12s %8s\n", n, a, b, b ? sprintf("%.2f", b/a) : ""}'
done
