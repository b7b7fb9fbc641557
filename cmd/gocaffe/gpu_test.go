package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
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

// asProgram makes the test binary run as the program itself, in a process of its own: a process has one driver, and what has broken it
// stays.
const asProgram = "GOCAFFE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(run(os.Args, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// program runs the program in its own process.
func program(t *testing.T, env string, args ...string) (code int, log string) {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asProgram+"=1", env)
	var out bytes.Buffer
	c.Stderr = &out
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String()
}

// onFake skips a test that needs the fake driver.
func onFake(t *testing.T) {
	t.Helper()
	withGPU(t)
	if p, err := cuda.Query(0); err != nil || p.Name != "gocaffe's fake GPU" {
		t.Skipf("%s, %v: this needs the fake driver (make test-cuda)", p.Name, err)
	}
}

// A GPU that is lost in the midst of a training leaves the last snapshot whole: training goes on from it, to the weights that it
// would have had.
func TestGPULostWhileTraining(t *testing.T) {
	onFake(t)
	const solver = "max_iter: 60 display: 10 snapshot: 20 momentum: 0.9 "
	trainDir(t, solver)
	code, log := program(t, "GOCAFFE_FAKECUDA_FAIL=cuGraphLaunch@50=719", "train", "-solver", "solver.prototxt", "-gpu", "0")
	for _, want := range []string{"Using GPUs 0", "GPU 0: gocaffe's fake GPU", "Iteration 40,", "CUDA_ERROR_LAUNCH_FAILED (719)", "the GPU is lost to this process"} {
		if code != exitFatal || !strings.Contains(log, want) {
			t.Fatalf("exit %d, no %q in\n%s", code, want, log)
		}
	}
	got, err := os.ReadFile("snap_iter_40.caffemodel")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("snap_iter_60.caffemodel"); err == nil {
		t.Error("the training wrote a snapshot after the GPU was lost")
	}
	if code, log := program(t, "", "train", "-solver", "solver.prototxt", "-gpu", "0", "-snapshot", "snap_iter_40.solverstate"); code != 0 {
		t.Fatalf("resuming: exit %d\n%s", code, log)
	}
	resumed, err := os.ReadFile("snap_iter_60.caffemodel")
	if err != nil {
		t.Fatal(err)
	}
	trainDir(t, solver)
	if code, log := program(t, "GOCAFFE_CAPTURE=0", "train", "-solver", "solver.prototxt", "-gpu", "0"); code != 0 {
		t.Fatalf("exit %d\n%s", code, log)
	}
	for name, want := range map[string][]byte{"snap_iter_40.caffemodel": got, "snap_iter_60.caffemodel": resumed} {
		if whole, err := os.ReadFile(name); err != nil || !bytes.Equal(whole, want) {
			t.Errorf("%s of a run that lost its GPU differs from that of one that did not, which launched each step by itself (%v)", name, err)
		}
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

// The commands that take -gpu besides train.
func TestGPUCommands(t *testing.T) {
	withGPU(t)
	trainDir(t, "max_iter: 1")
	if code, _, log := call("caffe", "train", "-solver", "solver.prototxt", "-gpu", "0"); code != 0 {
		t.Fatal(log)
	}
	for args, want := range map[string]string{
		"test -model net.prototxt -weights snap_iter_1.caffemodel -iterations 2 -gpu 0,1": "caffe.cpp:270] GPU device name: ",
		"time -model net.prototxt -iterations 2 -gpu all":                                 "caffe.cpp:339] Use GPU with device ID 0",
		"forward -model net.prototxt -output out.npz -blobs loss -gpu 0":                  "Use GPU with device ID 0",
	} {
		if code, _, log := call(append([]string{"caffe"}, strings.Fields(args)...)...); code != 0 || !strings.Contains(log, want) {
			t.Errorf("%s: exit %d\n%s", args, code, log)
		}
	}
}
