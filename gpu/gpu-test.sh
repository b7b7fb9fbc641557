#!/usr/bin/env bash
# gpu-test.sh [--short] [--gpu N] [--report FILE] tests gocaffe on the GPU of this machine
# and writes one report: what was found, what passed, and what it took. It runs from the
# folder that `make gpu-bundle` made. It ends with status 1 if anything failed. --short
# takes a minute even where the "GPU" is a stand-in that runs on the processor.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
short= gpu=0 report=$PWD/gpu-report.txt
while [ $# -gt 0 ]; do
	case $1 in
	--short) short=1 ;;
	--gpu) gpu=${2:?--gpu takes a number} && shift ;;
	--report) report=$(realpath -m "${2:?--report takes a file}") && shift ;;
	*) sed -n '2,5s/^# //p' "$0" >&2 && exit 2 ;;
	esac
	shift
done
export CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-$gpu} GOCAFFE_TEST_ENGINES=ref,cuda
gocaffe=$here/gocaffe
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
summary=$work/summary
: >"$report" && : >"$summary" || exit 2

# section NAME COMMAND… runs the command, keeps all that it says, and notes how it ended.
section() {
	local name=$1 from=$SECONDS how=PASS
	shift
	printf '\n==== %s\n' "$name" >>"$report"
	printf '%s ... ' "$name" >&2
	"$@" >>"$report" 2>&1 || how=FAIL
	printf '%s %s (%d s)\n' "$how" "$name" $((SECONDS - from)) >>"$summary"
	printf '%s\n' "$how" >&2
}

machine() {
	date -u
	echo "gocaffe $(cat "$here/version")"
	uname -srm
	command -v nvidia-smi >/dev/null && nvidia-smi
	"$gocaffe" device_query -gpu 0
}

# tests PACKAGE ARGUMENTS… runs a package's tests where they find their files.
tests() {
	local package=$1
	shift
	cd "$here/tree/$package" && "$here/tests/${package//\//_}.test" -test.timeout 60m "$@"
}

conformance() {
	if [ -n "$short" ]; then
		tests engine/cuda -test.run '^TestConformance$/^(Conv|ConvGradData|ConvGradWeights|Gemm|Pool|SoftmaxLoss)$'
	else
		tests engine/cuda -test.v -test.run '^TestConformance$' | grep -v '^ *\(---\|===\) \(PASS\|RUN\)'
	fi
}

# An option that Go's tests know keeps the long trainings of the solver's tests out.
goldens() {
	tests layers -test.run Golden && tests solver ${short:+-test.short} -test.run Golden
}

# solver FILE NET ITERATIONS DISPLAY [STAGE] writes a solver of fixed rate.
solver() {
	cat >"$1" <<-END
		net: "$2"
		base_lr: 0.001
		momentum: 0.9
		lr_policy: "fixed"
		max_iter: $3
		display: $4
		snapshot_after_train: false
		random_seed: 1701
		solver_mode: GPU
	END
	[ -z "${5:-}" ] || echo "train_state { stage: \"$5\" }" >>"$1"
}

# lenet trains and tests the example; the whole training must reach 99 %.
lenet() {
	cd "$here/tree" || return
	local iterations=10000 batches=100 least=0.99
	[ -n "$short" ] && iterations=4 batches=1 least=0
	sed "s/^max_iter:.*/max_iter: $iterations/; s/^test_interval:.*/test_interval: 1000000/; s/^test_iter:.*/test_iter: 1/
		s#^snapshot_prefix:.*#snapshot_prefix: \"$work/lenet\"#" examples/mnist/lenet_solver.prototxt >"$work/lenet_solver.prototxt"
	"$gocaffe" train -solver "$work/lenet_solver.prototxt" -gpu 0 || return
	"$gocaffe" test -model examples/mnist/lenet_train_test.prototxt -weights "$work/lenet_iter_$iterations.caffemodel" \
		-gpu 0 -iterations $batches 2>&1 | tee "$work/lenet.log" || return
	local accuracy
	accuracy=$(sed -n 's/.*\] accuracy = \([0-9.]*\).*/\1/p' "$work/lenet.log" | tail -1)
	echo "LeNet after $iterations iterations: accuracy $accuracy, wanted $least"
	awk -v a="$accuracy" -v l=$least 'BEGIN { exit !(a != "" && a >= l) }'
}

# capture compares a training that is replayed from a recording with one that is not: the
# losses must be the same to the last digit.
capture() {
	cd "$here/tree" || return
	local iterations=200 mode
	[ -n "$short" ] && iterations=5
	solver "$work/capture.prototxt" examples/mnist/lenet_train_test.prototxt $iterations 1
	for mode in 0 1; do
		GOCAFFE_CAPTURE=$mode "$gocaffe" train -solver "$work/capture.prototxt" -gpu 0 >"$work/capture$mode.log" 2>&1 ||
			{ cat "$work/capture$mode.log" && return 1; }
		sed -n 's/.*\(Train net output .*\)/\1/p' "$work/capture$mode.log" >"$work/losses$mode"
	done
	echo "$(wc -l <"$work/losses1") losses without and with recording, in iterations a second:"
	grep -o '([0-9.]* iter/s' "$work/capture0.log" "$work/capture1.log" | sed "s#$work/##" | sort | awk -F'[:(]' '{ last[$1] = $3 } END { for (k in last) print k, last[k] }'
	[ -s "$work/losses1" ] && diff "$work/losses0" "$work/losses1" && echo "no difference"
}

# rate NET BATCH PRECISION ITERATIONS prints images a second of gocaffe's training on
# constant input, of its second half, and of PyTorch's where python3 has torch with CUDA.
rate() {
	local net=$1 batch=$2 precision=$3 n=$4 model=$work/$1.prototxt speed
	sed "s/shape { dim: [0-9]*/shape { dim: $batch/" "examples/$net/"*train*val*.prototxt >"$model"
	solver "$work/$net.solver" "$model" "$n" $((n / 2)) dummy
	if ! "$gocaffe" train -solver "$work/$net.solver" -gpu 0 -precision "$precision" >"$work/$net.log" 2>&1; then
		echo "$net, batch $batch, $precision: gocaffe failed:" && tail -5 "$work/$net.log"
		return 1
	fi
	speed=$(grep -o '([0-9.e+-]* iter/s' "$work/$net.log" | tail -1 | tr -dc '0-9.e+-' | sed 's/e*$//')
	awk -v s="$speed" -v b="$batch" -v w="$net, batch $batch, $precision" 'BEGIN { printf "%s: gocaffe %.0f images/s\n", w, s * b; exit !(s > 0) }' || return
	[ -n "$torch" ] || return 0
	python3 bench/torch_time.py "$model" --device cuda --precision "$precision" --iterations "$n" | sed "s/^/$net, batch $batch, $precision: PyTorch /"
}

benchmark() {
	cd "$here/tree" || return
	local torch= failed=0 net batch precision
	if [ -n "$short" ]; then
		rate squeezenet 1 fp32 4
		return
	fi
	python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null && torch=1
	[ -n "$torch" ] || echo "PyTorch with CUDA is not here: gocaffe alone"
	for precision in fp32 tf32 bf16; do
		for net in alexnet:256 googlenet:128 vgg16:64 resnet50:128; do
			batch=${net#*:}
			rate "${net%:*}" "$batch" $precision 100 || failed=1
		done
	done
	return $failed
}

section "machine and libraries" machine
section "conformance of every op with the plain engine" conformance
section "convolutions and products in fp32, tf32 and bf16" tests engine/cuda -test.run '^TestPrecisions$'
section "goldens of real Caffe" goldens
section "random nets, fused and not" tests net/plan ${short:+-test.short}
section "LeNet" lenet
section "recorded against eager" capture
section "benchmark" benchmark
{
	printf '\n==== summary\n'
	cat "$summary"
} >>"$report"
echo "report: $report" >&2
! grep -q '^FAIL' "$summary"
