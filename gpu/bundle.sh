#!/usr/bin/env bash
# bundle.sh FOLDER makes one folder that is carried to a machine with a GPU: the binary and
# the libraries that it loads, the tests as binaries, goldens, nets, MNIST and gpu-test.sh,
# which runs it all. The other machine needs NVIDIA's driver, cuDNN 9 and cuBLAS, and a
# glibc of 2.34 or later; neither Go nor a compiler. `make gpu-bundle` calls it.
set -euo pipefail
to=$(realpath -m "$1")
cd "$(dirname "$0")/.."
go=${GO:-go}

mkdir -p "$to/tests" "$to/tree" "$to/lib"
"$go" build -o "$to/gocaffe" ./cmd/gocaffe
for package in engine/cuda layers solver net/plan cmd/gocaffe; do
	"$go" test -c -o "$to/tests/${package//\//_}.test" "./$package"
	mkdir -p "$to/tree/$package"
done

# The libraries that the binary loads, by its own words, and what they need; NVIDIA's are
# the other machine's, and glibc's must be.
loaded() { "$to/gocaffe" device_query 2>&1 | grep -o ': /[^ ]*\.so[^ ]*' | cut -c3- | grep -vE '/lib(cuda|cudnn|cublas|nvrtc|nccl)'; }
needed() { ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | grep -vE '/lib(c|m|dl|rt|pthread|resolv|util)\.so'; }
own=$(loaded)
for file in $own $(needed "$to/gocaffe" $own | sort -u); do
	name=$(readelf -d "$file" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
	cp -L "$file" "$to/lib/${name:-$(basename "$file")}"
done

# A test reads files below and beside its package's folder.
git ls-files -z -- testdata '*/testdata' examples bench/torch_time.py | tar -c --null -T - | tar -x -C "$to/tree"
"$go" run ./cmd/mnist-lmdb "$to/tree/examples/mnist"
cp gpu/gpu-test.sh "$to/gpu-test.sh"
git describe --always --dirty >"$to/version"
echo "$to: carry it to the machine with the GPU and run gpu-test.sh in it ($(du -sh "$to" | cut -f1))"
