package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine/cuda"
)

// onFake skips a test that needs the fake driver.
func onFake(t *testing.T) {
	t.Helper()
	withGPU(t)
	if p, err := cuda.Query(0); err != nil || p.Name != "gocaffe's fake GPU" {
		t.Skipf("%s, %v: this needs the fake driver (make test-cuda)", p.Name, err)
	}
}

const failingNet = `name: "small"
layer { name: "d" type: "DummyData" top: "x" top: "y" dummy_data_param { data_filler { type: "gaussian" } shape { dim: 4 dim: 3 dim: 6 dim: 6 } shape { dim: 4 dim: 2 } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "ip" type: "InnerProduct" bottom: "c" top: "z" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "z" bottom: "y" top: "loss" }
`

// iterations of the training that is made to fail, and between its snapshots.
const (
	failingIterations = 60
	failingSnapshots  = 10
)

// failingDir is a folder with a training for failures: small, with a product of each library.
func failingDir(t *testing.T) {
	t.Helper()
	trainDir(t, fmt.Sprintf("max_iter: %d display: 10 snapshot: %d momentum: 0.9", failingIterations, failingSnapshots))
	if err := os.WriteFile("net.prototxt", []byte(failingNet), 0o644); err != nil {
		t.Fatal(err)
	}
}

// snapshots are the weights on disk, by iteration.
func snapshots(t *testing.T) (all map[int][]byte, newest int) {
	t.Helper()
	all = map[int][]byte{}
	for i := failingSnapshots; i <= failingIterations; i += failingSnapshots {
		text, err := os.ReadFile(fmt.Sprintf("snap_iter_%d.caffemodel", i))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all[i], newest = text, i
	}
	return all, newest
}

// failures are what can go wrong in the midst of a training: what the fake driver is told, what the one line says, and how the
// training ran, by default replayed from a recording.
var failures = []struct{ name, fail, env, want string }{
	{"a kernel", "update_all@28=719", "", "CUDA_ERROR_LAUNCH_FAILED (719): unspecified launch failure; the GPU is lost to this process, start it again (train goes on from the last snapshot with -snapshot)"},
	{"a kernel, launched by itself", "update_all@28=700", "GOCAFFE_CAPTURE=0", "CUDA_ERROR_ILLEGAL_ADDRESS (700)"},
	{"the memory's errors", "copy in@55=214", "", "CUDA_ERROR_ECC_UNCORRECTABLE (214): uncorrectable ECC error encountered; the GPU is lost to this process"},
	{"a convolution", "convolution@55=700", "", "CUDA_ERROR_ILLEGAL_ADDRESS (700)"},
	{"the driver", "cuStreamSynchronize@60=999", "", "CUDA_ERROR_UNKNOWN (999): unknown error; the GPU is lost to this process"},
	{"a replay", "cuGraphLaunch@55=2", "", "cuGraphLaunch: CUDA_ERROR_OUT_OF_MEMORY (2): out of memory"},
	{"a launch", "cuLaunchKernel@155=701", "GOCAFFE_CAPTURE=0", "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (701): too many resources requested for launch"},
	{"a copy in", "cuMemcpyHtoDAsync_v2@55=1", "", "cuMemcpyHtoDAsync: CUDA_ERROR_INVALID_VALUE (1): invalid argument"},
	{"cuDNN", "cudnnConvolutionForward@55=5000", "GOCAFFE_CAPTURE=0", "engine.Conv: cudnnConvolutionForward: CUDNN_STATUS_EXECUTION_FAILED (5000)"},
	{"cuBLASLt", "cublasLtMatmul@55=14", "GOCAFFE_CAPTURE=0", "engine.Gemm: cublasLtMatmul: CUBLAS_STATUS_INTERNAL_ERROR (14)"},
}

// Whatever fails in the midst of a training, the program ends with one line that says what and where, and the snapshots until then are
// whole: the training that goes on from the last one comes to the weights that it would have had.
func TestGPUFailsWhileTraining(t *testing.T) {
	onFake(t)
	failingDir(t)
	if code, log := program(t, "GOCAFFE_CAPTURE=0", "train", "-solver", "solver.prototxt", "-gpu", "0"); code != 0 {
		t.Fatalf("without a failure: exit %d\n%s", code, log)
	}
	whole, _ := snapshots(t)
	if len(whole) != failingIterations/failingSnapshots {
		t.Fatalf("%d snapshots", len(whole))
	}
	for _, c := range failures {
		t.Run(c.name, func(t *testing.T) {
			failingDir(t)
			t.Setenv("GOCAFFE_FAKECUDA_FAIL", c.fail)
			code, log := program(t, c.env, "train", "-solver", "solver.prototxt", "-gpu", "0")
			_, line, failed := strings.Cut(log, "\nF")
			if code != exitFatal || !failed || !strings.Contains(line, "GPU 0 (gocaffe's fake GPU): ") || !strings.Contains(line, c.want) {
				t.Fatalf("exit %d, no %q in\n%s", code, c.want, last(log, 1500))
			}
			if strings.Count(line, "\n") != 1 || strings.Count(line, "cuda: ") != 1 {
				t.Errorf("more than the one line:\n%s", line)
			}
			t.Setenv("GOCAFFE_FAKECUDA_FAIL", "")
			all, newest := snapshots(t)
			if newest == 0 || newest == failingIterations {
				t.Fatalf("the last snapshot is of iteration %d", newest)
			}
			if left, err := filepath.Glob("*.tmp*"); err != nil || len(left) > 0 {
				t.Errorf("files are left: %v, %v", left, err)
			}
			state := fmt.Sprintf("snap_iter_%d.solverstate", newest)
			if code, log := program(t, "", "train", "-solver", "solver.prototxt", "-gpu", "0", "-snapshot", state); code != 0 {
				t.Fatalf("going on from %s: exit %d\n%s", state, code, last(log, 1500))
			}
			resumed, _ := snapshots(t)
			all[failingIterations] = resumed[failingIterations]
			for i, text := range all {
				if !bytes.Equal(text, whole[i]) {
					t.Errorf("the snapshot of iteration %d differs from that of the training that did not fail", i)
				}
			}
		})
	}
}

// What fails before the first iteration ends the program with one line too.
func TestGPUFailsAtStart(t *testing.T) {
	onFake(t)
	for _, c := range []struct{ name, fail, want string }{
		{"memory for the net", "cuMemAlloc_v2@3=2", "out of memory: "},
		{"pinned memory", "cuMemHostAlloc@1=2", "cuMemHostAlloc: CUDA_ERROR_OUT_OF_MEMORY (2): out of memory"},
		{"an event", "cuEventCreate@2=2", "cuEventCreate: CUDA_ERROR_OUT_OF_MEMORY (2): out of memory"},
		{"no code for the GPU", "cuModuleLoadDataEx@1=209", "cuModuleLoadDataEx: CUDA_ERROR_NO_BINARY_FOR_GPU (209)"},
		{"cuDNN", "cudnnCreate@1=1001", "cudnnCreate: CUDNN_STATUS_NOT_INITIALIZED (1001)"},
		{"cuBLASLt", "cublasLtCreate@1=1", "cublasLtCreate: CUBLAS_STATUS_NOT_INITIALIZED (1)"},
		{"a first launch", "cuLaunchKernel@2=701", "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (701)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			failingDir(t)
			code, log := program(t, "GOCAFFE_FAKECUDA_FAIL="+c.fail, "train", "-solver", "solver.prototxt", "-gpu", "0")
			_, line, failed := strings.Cut(log, "\nF")
			if code != exitFatal || !failed || !strings.Contains(line, c.want) || !strings.Contains(line, "GPU 0 (gocaffe's fake GPU)") {
				t.Fatalf("exit %d, no %q in\n%s", code, c.want, last(log, 1500))
			}
			if strings.Count(line, "\n") != 1 || strings.Count(line, "cuda: ") != 1 {
				t.Errorf("more than the one line:\n%s", line)
			}
		})
	}
}

// Too little memory is told with the numbers, before anything runs.
func TestGPUMemory(t *testing.T) {
	onFake(t)
	trainDir(t, "max_iter: 1")
	code, log := program(t, "GOCAFFE_FAKECUDA_MEMORY=33000", "train", "-solver", "solver.prototxt", "-gpu", "0")
	if code != exitFatal || !strings.Contains(log, "out of memory") || !strings.Contains(log, "of its 33000 bytes are free") {
		t.Errorf("exit %d\n%s", code, log)
	}
}

// A library that cannot be recorded costs speed alone, which is said once.
func TestGPURecordingFails(t *testing.T) {
	onFake(t)
	failingDir(t)
	if code, log := program(t, "", "train", "-solver", "solver.prototxt", "-gpu", "0"); code != 0 {
		t.Fatalf("exit %d\n%s", code, log)
	}
	whole, newest := snapshots(t)
	for _, fail := range []string{"cuStreamBeginCapture_v2@1=900", "cuStreamEndCapture@1=901", "cuGraphInstantiateWithFlags@1=2", "cudnnConvolutionForward@2=3000"} {
		failingDir(t)
		code, log := program(t, "GOCAFFE_FAKECUDA_FAIL="+fail, "train", "-solver", "solver.prototxt", "-gpu", "0")
		if n := strings.Count(log, "steps are launched one by one, which costs some time: recording them failed: cuda: GPU 0"); code != 0 || n != 1 {
			t.Errorf("%s: exit %d, said %d times\n%s", fail, code, n, last(log, 1500))
		}
		if got, _ := snapshots(t); !bytes.Equal(got[newest], whole[newest]) {
			t.Errorf("%s: the weights differ from those of a training that was recorded", fail)
		}
	}
}

// A GPU without NVIDIA's libraries runs what needs none of them; the rest is an error with what to install, not a run on the host.
func TestGPUWithoutLibraries(t *testing.T) {
	onFake(t)
	alone := t.TempDir()
	driver := filepath.Join(os.Getenv("GOCAFFE_CUDA_LIBS"), "libcuda.so.1")
	if err := os.Symlink(driver, filepath.Join(alone, "libcuda.so.1")); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"VIRTUAL_ENV": "", "CONDA_PREFIX": "", "CUDA_HOME": "", "PATH": "", "GOCAFFE_CUDA_LIBS": alone} {
		t.Setenv(name, value)
	}
	const without = `layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 4 dim: 2 dim: 3 dim: 3 } } } layer { name: "p" type: "Pooling" bottom: "x" top: "y" pooling_param { kernel_size: 2 } }`
	product := strings.ReplaceAll(strings.Replace(failingNet, `type: "Convolution"`, `type: "ReLU"`, 1), `convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } }`, "")
	for _, c := range []struct {
		net  string
		code int
		want string
	}{
		{without, 0, "Use GPU with device ID 0"},
		{product, exitFatal, "cuBLASLt (libcublasLt.so.12"},
		{failingNet, exitFatal, "; install it (pip install nvidia-cudnn-cu12)"},
	} {
		trainDir(t, "max_iter: 1")
		if err := os.WriteFile("net.prototxt", []byte(c.net), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, log := program(t, "", "time", "-model", "net.prototxt", "-iterations", "1", "-gpu", "0"); code != c.code || !strings.Contains(log, c.want) {
			t.Errorf("exit %d, want %d and %q\n%s", code, c.code, c.want, last(log, 1500))
		}
	}
}

// A training comes to the same weights, to the last bit, in whatever order the events let the GPU's queues run. Its images are large enough
// to take the queue of copies.
func TestGPUTrainsInAnyOrder(t *testing.T) {
	onFake(t)
	var want []byte
	for seed := range 6 {
		failingDir(t)
		net := strings.NewReplacer("dim: 6 dim: 6", "dim: 80 dim: 80", "kernel_size: 3", "kernel_size: 3 stride: 20").Replace(failingNet)
		if err := os.WriteFile("net.prototxt", []byte(net), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, log := program(t, fmt.Sprintf("GOCAFFE_FAKECUDA_SEED=%d", seed), "train", "-solver", "solver.prototxt", "-gpu", "0"); code != 0 {
			t.Fatalf("exit %d\n%s", code, last(log, 1500))
		}
		all, newest := snapshots(t)
		if seed == 0 {
			want = all[newest]
		}
		if newest != failingIterations || !bytes.Equal(all[newest], want) {
			t.Errorf("seed %d gives other weights than seed 0", seed)
		}
	}
}
