#!/usr/bin/env bash
# gpu-test.sh [--short] [--gpu N] [--report FILE] [--only WORDS] tests gocaffe on the GPU of
# this machine and writes one report: what was found, what passed, and what it took. It runs
# from the folder that `make gpu-bundle` made. It ends with status 1 if anything failed, and
# names it. --short takes a minute even where the "GPU" is a stand-in that runs on the
# processor; --only runs the sections whose names match a regular expression.
# LENET_ITERATIONS and LENET_ACCURACY change the training that must reach 0.99.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
short= only=. gpu=0 report=$PWD/gpu-report.txt
while [ $# -gt 0 ]; do
	case $1 in
	--short) short=1 ;;
	--gpu) gpu=${2:?--gpu takes a number} && shift ;;
	--report) report=$(realpath -m "${2:?--report takes a file}") && shift ;;
	--only) only=${2:?--only takes words} && shift ;;
	*) sed -n '2,7s/^# //p' "$0" >&2 && exit 2 ;;
	esac
	shift
done
export CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-$gpu} GOCAFFE_TEST_ENGINES=ref,cuda
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
: >"$report" && : >"$work/summary" || exit 2

# The libraries that this machine lacks are the bundle's. Those that it has are used: they
# were built for its glibc.
mkdir "$work/lib"
have=$({ ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | awk '{ print $1 }')
for file in "$here"/lib/*; do
	grep -qxF "$(basename "$file")" <<<"$have" || ln -s "$file" "$work/lib/"
done

# run runs one of our programs, for an hour at most.
run() { LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$work/lib timeout 60m "$@"; }
gocaffe() { run "$here/gocaffe" "$@"; }

# section NAME COMMAND… runs the command, keeps all that it says, and notes how it ended;
# of a failure also what it is.
section() {
	local name=$1 from=$SECONDS how=PASS
	shift
	[[ $name =~ $only ]] || return
	printf '%s ... ' "$name" >&2
	"$@" >"$work/section" 2>&1 || how=FAIL
	{ printf '\n==== %s\n' "$name" && cat "$work/section"; } >>"$report"
	printf '%s %s (%d s)\n' "$how" "$name" $((SECONDS - from)) >>"$work/summary"
	[ $how = PASS ] || failures >>"$work/summary"
	printf '%s\n' "$how" >&2
}

# failures picks a failed section's reasons: tests, crashes, fatal errors of gocaffe. There
# is always one.
failures() {
	grep -E '^ *--- FAIL|^panic: |^fatal error: |^SIG[A-Z]+: |^F[0-9]{4} |^FAILED: ' "$work/section" | sed 's/^ */     /' | grep . ||
		grep . "$work/section" | tail -1 | sed 's/^/     /' | grep . || echo "     no word"
}

# fails tells a reason.
fails() { echo "FAILED: $*" && return 1; }

machine() {
	date -u
	echo "gocaffe $(cat "$here/version")"
	uname -srm
	command -v nvidia-smi >/dev/null && nvidia-smi
	gocaffe device_query -gpu 0
}

# tests PACKAGE ARGUMENTS… runs a package's tests where they find their files, and tells
# how many there were and all that is not a success.
tests() {
	local package=$1 status=0 log=$work/tests passed
	shift
	(cd "$here/tree/$package" && run "$here/tests/${package//\//_}.test" -test.v -test.timeout 50m "$@") >"$log" 2>&1 || status=$?
	grep -vE '^ *(=== (RUN|PAUSE|CONT|NAME)|--- PASS)|^PASS$' "$log"
	passed=$(grep -cE '^ *--- PASS' "$log")
	echo "$package: $passed passed, $(grep -cE '^ *--- FAIL' "$log") failed, $(grep -cE '^ *--- SKIP' "$log") skipped"
	[ $status = 0 ] || fails "$package's tests ended with status $status" || return
	[ "$passed" -gt 0 ] || fails "no test of $package ran"
}

# An option that Go's tests know keeps the long trainings of the solver's tests out.
goldens() {
	local failed=0
	tests layers -test.run Golden || failed=1
	tests solver ${short:+-test.short} -test.run Golden || failed=1
	return $failed
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
	local iterations=${LENET_ITERATIONS:-10000} least=${LENET_ACCURACY:-0.99} batches=100 accuracy
	[ -z "$short" ] || batches=2
	sed "s/^max_iter:.*/max_iter: $iterations/; s/^test_interval:.*/test_interval: 1000000/; s/^test_iter:.*/test_iter: 1/
		s#^snapshot_prefix:.*#snapshot_prefix: \"$work/lenet\"#" examples/mnist/lenet_solver.prototxt >"$work/lenet_solver.prototxt"
	gocaffe train -solver "$work/lenet_solver.prototxt" -gpu 0 || return
	gocaffe test -model examples/mnist/lenet_train_test.prototxt -weights "$work/lenet_iter_$iterations.caffemodel" \
		-gpu 0 -iterations $batches 2>&1 | tee "$work/lenet.log" || return
	accuracy=$(sed -n 's/.*\] accuracy = \([0-9.]*\).*/\1/p' "$work/lenet.log" | tail -1)
	echo "LeNet after $iterations iterations: accuracy $accuracy, wanted $least"
	awk -v a="$accuracy" -v l="$least" 'BEGIN { exit !(a != "" && a >= l) }' ||
		fails "LeNet after $iterations iterations: accuracy $accuracy is less than $least"
}

# capture compares a training that is replayed from a recording with one that is not: the
# losses must be the same to the last digit. A third of them are displayed: those iterations
# are two recordings, the others one.
capture() {
	cd "$here/tree" || return
	local iterations=600 mode wanted
	[ -z "$short" ] || iterations=5
	wanted=$(((iterations + 2) / 3))
	solver "$work/capture.prototxt" examples/mnist/lenet_train_test.prototxt $iterations 3
	for mode in 0 1; do
		GOCAFFE_CAPTURE=$mode gocaffe train -solver "$work/capture.prototxt" -gpu 0 >"$work/capture$mode.log" 2>&1 ||
			{ cat "$work/capture$mode.log" && return 1; }
		sed -n 's/.*\(Train net output .*\)/\1/p' "$work/capture$mode.log" >"$work/losses$mode"
	done
	! grep 'launched one by one' "$work/capture1.log" || fails "the training was not recorded" || return
	echo "$(wc -l <"$work/losses1") losses without and with recording, in iterations a second:"
	grep -o '([0-9.]* iter/s' "$work/capture0.log" "$work/capture1.log" | sed "s#$work/##" | sort | awk -F'[:(]' '{ last[$1] = $3 } END { for (k in last) print k, last[k] }'
	[ "$(wc -l <"$work/losses1")" = $wanted ] || fails "$wanted losses were to come" || return
	diff "$work/losses0" "$work/losses1" || fails "losses differ between a recorded training and one that is not" || return
	echo "no difference"
}

# rate NAME MODEL BATCH PRECISION ITERATIONS prints images a second of a training on
# constant input: gocaffe's, of its second half, and PyTorch's, in its better order.
rate() {
	local name=$1 batch=$3 precision=$4 n=$5 model=$work/$1.prototxt what="$1, batch $3, $4" ours theirs=-
	sed "s/shape { dim: [0-9]*/shape { dim: $batch/" "$2" >"$model"
	solver "$work/$name.solver" "$model" "$n" $((n / 2)) dummy
	if ! gocaffe train -solver "$work/$name.solver" -gpu 0 -precision "$precision" >"$work/$name.log" 2>&1; then
		fails "$what: $(tail -1 "$work/$name.log")"
		return
	fi
	ours=$(grep -o '([0-9.e+-]* iter/s' "$work/$name.log" | tail -1 | tr -dc '0-9.e+-' | sed 's/e*$//' | awk -v b="$batch" '{ printf "%.0f", $1 * b }')
	[ "${ours:-0}" -gt 0 ] || fails "$what: no rate in the log" || return
	if [ -n "$torch" ]; then
		theirs=$(python3 bench/torch_time.py "$model" --device cuda --precision "$precision" --iterations "$n" 2>"$work/torch.log" |
			sed 's/.*"nchw_ms": \([0-9.]*\), "channels_last_ms": \([0-9.]*\).*/\1 \2/' | awk -v b="$batch" '{ ms = $1 < $2 ? $1 : $2; printf "%.0f", 1000 * b / ms }')
		[ -n "$theirs" ] || echo "$what: PyTorch failed: $(tail -1 "$work/torch.log")"
	fi
	awk -v w="$what" -v o="$ours" -v t="${theirs:--}" 'BEGIN { printf("%-32s gocaffe %8d images/s   PyTorch %8s   ratio %s\n", w, o, t, (t > 0) ? sprintf("%.2f", o / t) : "-") }'
}

benchmark() {
	cd "$here/tree" || return
	local torch= failed=0 net batch precision
	python3 -c 'import torch; assert torch.cuda.is_available(); print("PyTorch", torch.__version__, "cuDNN", torch.backends.cudnn.version())' 2>/dev/null && torch=1
	[ -n "$torch" ] || echo "PyTorch with CUDA is not here: gocaffe alone"
	for precision in fp32 tf32 bf16; do
		if [ -n "$short" ]; then
			rate lenet examples/mnist/lenet_train_test.prototxt 4 $precision 4 || failed=1
			continue
		fi
		for net in alexnet:256 googlenet:128 vgg16:64 resnet50:128; do
			batch=${net#*:} net=${net%:*}
			rate "$net" "examples/$net/train_val.prototxt" "$batch" $precision 100 || failed=1
		done
	done
	return $failed
}

section "machine and libraries" machine
section "conformance of every op with the plain engine" tests engine/cuda -test.run "^TestConformance\$${short:+/fp32}"
section "convolutions and products in fp32, tf32 and bf16" tests engine/cuda -test.run '^TestPrecisions$'
section "the engine's other tests" tests engine/cuda -test.skip '^Test(Conformance|Precisions)$'
section "goldens of real Caffe" goldens
section "random nets, fused and not" tests net/plan ${short:+-test.short}
section "the command line" tests cmd/gocaffe -test.run 'GPU'
section "LeNet" lenet
section "recorded against eager" capture
section "benchmark" benchmark
{
	printf '\n==== summary\n'
	cat "$work/summary"
} >>"$report"
echo "report: $report" >&2
[ -s "$work/summary" ] || { echo "no section is called $only" >&2 && exit 2; }
! grep -q '^FAIL' "$work/summary"
