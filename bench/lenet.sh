#!/usr/bin/env bash
# Trains LeNet on MNIST with gocaffe and with real Caffe, one after the other, on
# the same databases, and prints the times and their ratio.
#
#   CAFFE=path/to/caffe bench/lenet.sh [iterations]
#
# Run `make mnist` first: it makes the databases.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CAFFE:?set CAFFE to the caffe binary to compare with}"
iterations=${1:-10000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed -e "s/^max_iter: .*/max_iter: $iterations/" -e "s#^snapshot_prefix: .*#snapshot_prefix: \"$work/lenet\"#" \
  examples/mnist/lenet_solver.prototxt >"$work/solver.prototxt"

# run NAME COMMAND... prints the seconds and the last accuracy.
run() {
  local name=$1 start end
  shift
  start=$(date +%s.%N)
  "$@" train -solver "$work/solver.prototxt" 2>"$work/$name.log"
  end=$(date +%s.%N)
  awk -v n="$name" -v s="$start" -v e="$end" '/accuracy = /{a=$NF} END{printf "%-8s %8.1f s  accuracy %s\n", n, e-s, a}' "$work/$name.log" | tee "$work/$name.txt"
}

run gocaffe bin/gocaffe
run caffe "$CAFFE"
paste "$work/gocaffe.txt" "$work/caffe.txt" | awk '{printf "ratio    %8.2f\n", $7/$2}'
