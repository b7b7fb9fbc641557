package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine/cuda"
	"github.com/gocaffe/gocaffe/engine/enginetest"
)

// withoutGPU runs the program as on a machine without one, where the fake driver that the tests run on is not found. It skips the test
// where there is a GPU all the same.
func withoutGPU(t *testing.T) func(args ...string) (code int, log string) {
	t.Helper()
	const nowhere = "GOCAFFE_CUDA_LIBS="
	if code, _ := program(t, nowhere, "device_query", "-gpu", "0"); code == 0 {
		t.Skip("this machine has a GPU")
	}
	return func(args ...string) (int, string) { return program(t, nowhere, args...) }
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
	call := withoutGPU(t)
	trainDir(t, "max_iter: 1")
	for _, args := range []string{"-gpu 0", "-gpu all", "-engine cuda"} {
		code, log := call(append([]string{"train", "-solver", "solver.prototxt"}, strings.Fields(args)...)...)
		if code != exitFatal || !strings.Contains(log, "no NVIDIA driver") || !strings.Contains(log, "install NVIDIA's driver") {
			t.Errorf("%s: exit %d: %s", args, code, last(log, 500))
		}
	}
	trainDir(t, "max_iter: 1 solver_mode: GPU")
	code, log := call("train", "-solver", "solver.prototxt")
	if code != exitFatal || !strings.Contains(log, "solver.prototxt:1; -engine cpu") {
		t.Errorf("exit %d: %s", code, log)
	}
	code, log = call("device_query", "-gpu", "0")
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
		code := run(os.Args, os.Stdout, os.Stderr)
		writePeak()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// program runs the program in its own process.
func program(t *testing.T, env string, args ...string) (code int, log string) {
	t.Helper()
	return programIn(t, []string{env}, args...)
}

// programIn is program with more than one variable.
func programIn(t *testing.T, env []string, args ...string) (code int, log string) {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Env = append(append(os.Environ(), asProgram+"=1"), env...)
	var out bytes.Buffer
	c.Stderr = &out
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String()
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

// The plan that explain prints is the GPU's: there pictures come as bytes.
func TestExplainGPU(t *testing.T) {
	withGPU(t)
	model := filepath.Join(t.TempDir(), "net.prototxt")
	text := `layer { name: "data" type: "Data" top: "data" data_param { source: "../../testdata/golden/data/lmdb_resized" batch_size: 4 backend: LMDB } }`
	if err := os.WriteFile(model, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, log := call("caffe", "explain", "-stage", "plan", "-phase", "TEST", "-model", model, "-gpu", "0")
	if code != 0 || !strings.Contains(stdout, "Pixels{Scale:") {
		t.Errorf("exit %d, no Pixels in the plan:\n%s\n%s", code, stdout, log)
	}
}

// On a GPU activations change their layout or type where a net goes over to inner products and back, and nowhere else. The copies of weights
// in bfloat16 are not counted.
func TestReordersOnGPU(t *testing.T) {
	withGPU(t)
	ofWeights := regexp.MustCompile(`Reorder{}  \S+\[\d+\]\[`)
	for name, want := range map[string]int{
		"alexnet":   4,  // pictures, pool5 and its gradient, the gradient of fc8
		"vgg16":     4,  // the same
		"googlenet": 11, // pictures; a mask; of each of three heads its input, that one's gradient, and the gradient of its loss
		"resnet50":  4,  // pictures, pool5 and its gradient, the gradient of the classifier
	} {
		code, stdout, log := call("caffe", "explain", "-stage", "plan,dummy", "-model", "../../examples/"+name+"/train_val.prototxt", "-gpu", "0", "-precision", "bf16")
		got := strings.Count(stdout, "Reorder{}") - len(ofWeights.FindAllString(stdout, -1))
		if code != 0 || got != want {
			t.Errorf("%s: exit %d, %d reorders of activations, want %d\n%s", name, code, got, want, last(log, 500))
		}
	}
}

// Which GPU is taken, by the flag or by the solver file, and what is said where there is none of the number.
func TestWhichGPU(t *testing.T) {
	onFake(t)
	for _, c := range []struct {
		solver, args string
		exit         int
		want, not    string
	}{
		{"", "-gpu 7", exitFatal, "Cannot use GPU: cuda: there is no GPU 7: the driver sees 2, numbered from 0. Leave out -gpu", "Use CPU"},
		{"", "-gpu -1", exitFatal, `-gpu -1: "-1" is no device number`, "Use CPU"},
		{"", "-gpu 0,1", exitFatal, "Multi-GPU execution not available: GPUs 0, 1 are asked for, this version trains on one; name one with -gpu", "Use CPU"},
		{"", "-gpu all", exitFatal, "Multi-GPU execution not available: GPUs 0, 1 are asked for", "Use CPU"},
		{"", "-gpu 1", 0, "GPU 1: gocaffe's fake GPU", "Use CPU"},
		{"", "-engine cuda", 0, "GPU 0: gocaffe's fake GPU", "Use CPU"},
		{"", "", 0, "Use CPU.", "fake GPU"},
		{"solver_mode: CPU", "-gpu 0", 0, "GPU 0: gocaffe's fake GPU", "Use CPU"},
		{"solver_mode: GPU", "", 0, "GPU 0: gocaffe's fake GPU", "Use CPU"},
		{"solver_mode: GPU device_id: 1", "", 0, "GPU 1: gocaffe's fake GPU", "Use CPU"},
		{"solver_mode: GPU device_id: 1", "-engine cuda", 0, "GPU 1: gocaffe's fake GPU", "Use CPU"},
		{"solver_mode: GPU device_id: 1", "-gpu 0", 0, "GPU 0: gocaffe's fake GPU", "Use CPU"},
		{"solver_mode: GPU device_id: 2", "", exitFatal, "there is no GPU 2: the driver sees 2", "Use CPU"},
		{"solver_mode: GPU", "-engine ref", 0, "Use CPU.", "fake GPU"},
	} {
		t.Run(c.solver+" "+c.args, func(t *testing.T) {
			trainDir(t, "max_iter: 1 "+c.solver)
			args := append([]string{"train", "-solver", "solver.prototxt"}, strings.Fields(c.args)...)
			code, log := programIn(t, []string{"GOCAFFE_FAKECUDA_DEVICES=2"}, args...)
			if code != c.exit || !strings.Contains(log, c.want) || strings.Contains(log, c.not) {
				t.Errorf("exit %d, want %q and no %q:\n%s", code, c.want, c.not, log)
			}
		})
	}
	code, log := programIn(t, []string{"GOCAFFE_FAKECUDA_DEVICES=2"}, "device_query", "-gpu", "all")
	if code != 0 || strings.Count(log, "] Device id:  ") != 2 || !strings.Contains(log, "] Device id:                     1\n") {
		t.Errorf("exit %d:\n%s", code, log)
	}
}
