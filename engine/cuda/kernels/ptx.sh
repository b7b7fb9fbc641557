#!/bin/sh
# ptx.sh DIR compiles the kernels to DIR/sm_70.ptx and DIR/sm_80.ptx. The compiler
# is pinned, so that the same source gives the same text everywhere.
set -eu
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
for target in sm_70:ptx64 sm_80:ptx70; do
	clang-14 -x cuda --cuda-device-only --cuda-gpu-arch="${target%:*}" -nocudainc -nocudalib \
		-Xclang -target-feature -Xclang "+${target#*:}" -std=c++17 -O3 -ffp-contract=off \
		-Wall -Werror -S -o "$out/${target%:*}.ptx" module.cu
done
