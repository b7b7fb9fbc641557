package main

import (
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine/cuda"
	"github.com/gocaffe/gocaffe/engine/enginetest"
)

// withoutGPU skips a test of what is said on a machine without one.
func withoutGPU(t *testing.T) {
	t.Helper()
	if n, err := cuda.Count(); err == nil {
		t.Skipf("this machine has %d GPUs", n)
	}
}

// withGPU skips a test that needs one, or the fake driver (make test-cuda).
func withGPU(t *testing.T) {
	t.Helper()
	if _, err := cuda.Count(); err != nil {
		if enginetest.Required(cuda.Name) {
			t.Fatal(err)
		}
		t.Skipf("no GPU and no fake driver: %v", err)
	}
}

func TestNoGPU(t *testing.T) {
	withoutGPU(t)
	trainDir(t, "max_iter: 1")
	for _, args := range []string{"-gpu 0", "-gpu all", "-engine cuda"} {
		code, _, log := call(append([]string{"caffe", "train", "-solver", "solver.prototxt"}, strings.Fields(args)...)...)
		if code != exitFatal || !strings.Contains(log, "no NVIDIA driver") || !strings.Contains(log, "install NVIDIA's driver") {
			t.Errorf("%s: exit %d: %s", args, code, last(log, 500))
		}
	}
	trainDir(t, "max_iter: 1 solver_mode: GPU")
	code, _, log := call("caffe", "train", "-solver", "solver.prototxt")
	if code != exitFatal || !strings.Contains(log, "solver.prototxt:1; -engine cpu") {
		t.Errorf("exit %d: %s", code, log)
	}
	code, _, log = call("caffe", "device_query", "-gpu", "0")
	for _, want := range []string{"Querying GPUs 0", "engine cuda: not available: cuda: no NVIDIA driver", "Cannot use GPU: cuda: no NVIDIA driver"} {
		if code != exitFatal || !strings.Contains(log, want) {
			t.Errorf("exit %d, no %q in %s", code, want, log)
		}
	}
}

// device_query prints Caffe's lines, with the values from column 32 on, and all libraries.
func TestQueryGPU(t *testing.T) {
	withGPU(t)
	code, _, log := call("caffe", "device_query", "-gpu", "0")
	for _, want := range []string{
		"common.cpp:178] Device id:                     0\n", "] Major revision number:         ", "] Name:                          ",
		"] Maximum dimension of block:    1024, 1024, 64\n", "] Concurrent copy and execution: Yes\n", "common.cpp:200] Kernel execution timeout:      ",
		"] engine cuda: ", "NVIDIA driver (libcuda) CUDA ", "libcuda.so", "cuDNN", "cuBLASLt",
	} {
		if code != 0 || !strings.Contains(log, want) {
			t.Errorf("exit %d, no %q in %s", code, want, log)
		}
	}
	if code, _, log := call("caffe", "device_query", "-gpu", "7,99"); code != exitFatal || !strings.Contains(log, "there is no GPU 7: the driver sees ") {
		t.Errorf("exit %d: %s", code, log)
	}
}

func TestGPUErrors(t *testing.T) {
	trainDir(t, "max_iter: 1")
	for _, c := range []struct{ args, want string }{
		{"-gpu 0 -engine cpu", "-gpu 0 and -engine cpu contradict"},
		{"-gpu 0,1", "Multi-GPU execution not available: GPUs 0, 1"},
		{"-gpu 0,x", `"x" is no device number`},
	} {
		code, _, log := call(append([]string{"caffe", "train", "-solver", "solver.prototxt"}, strings.Fields(c.args)...)...)
		if code != exitFatal || !strings.Contains(log, c.want) {
			t.Errorf("%s: exit %d: %s", c.args, code, last(log, 500))
		}
	}
}
