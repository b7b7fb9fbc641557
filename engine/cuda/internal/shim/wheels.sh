#!/usr/bin/env bash
# wheels.sh SET FOLDER takes NVIDIA's headers, libraries and assembler out of the Python wheels that
# carry them, for the tests that compare this package with them. SET is one of those below:
# the oldest versions that have wheels, and the newest of each CUDA since. `make
# check-headers` calls it.
set -euo pipefail
case ${1:-} in
11) wheels="nvidia-cuda-runtime-cu11==11.8.89 nvidia-cuda-nvcc-cu11==11.8.89 nvidia-cuda-nvrtc-cu11==11.8.89 nvidia-cublas-cu11==11.11.3.6
	nvidia-cudnn-cu12==8.9.7.29 nvidia-nccl-cu11==2.21.5" ;;
12) wheels="nvidia-cuda-runtime-cu12==12.9.79 nvidia-cuda-nvcc-cu12==12.9.86 nvidia-cuda-nvrtc-cu12==12.9.86 nvidia-cublas-cu12==12.9.3.13
	nvidia-cudnn-cu12==9.28.0.42 nvidia-nccl-cu12==2.32.3" ;;
13) wheels="nvidia-cuda-runtime==13.5.37 nvidia-cuda-crt==13.5.37 nvidia-cuda-nvrtc==13.5.37 nvidia-cublas==13.10.0.20
	nvidia-cudnn-cu13==9.28.1.4 nvidia-nccl-cu13==2.32.3" ;;
*) sed -n '2,5s/^# //p' "$0" >&2 && exit 2 ;;
esac
mkdir -p "$2"
cd "$2"
for w in $wheels; do
	echo "$w" >&2
	rm -rf wheel && python3 -m pip download -q --no-deps --no-cache-dir --disable-pip-version-check -d wheel "$w"
	python3 - wheel/*.whl <<-'END'
		import sys, zipfile
		with zipfile.ZipFile(sys.argv[1]) as wheel:
		    wheel.extractall(".", [name for name in wheel.namelist() if "/include/" in name or "/lib/lib" in name and ".so" in name or name.endswith("/bin/ptxas")])
	END
	rm -rf wheel
done
chmod -f +x nvidia/*/bin/ptxas || true # the newest set has none
