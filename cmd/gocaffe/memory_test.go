package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net"
)

// peakTo names the file to which the program, run by a test, writes its peak resident memory in KiB. What the system tells of a child is
// no use: it is at least what the parent took when it started it.
const peakTo = "GOCAFFE_TEST_PEAK_TO"

func writePeak() {
	file := os.Getenv(peakTo)
	if file == "" {
		return
	}
	status, err := os.ReadFile("/proc/self/status")
	if found := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status); err == nil && found != nil {
		err = os.WriteFile(file, found[1], 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitFatal)
	}
}

// runProgram runs the program in a process of its own and gives its output and its peak in bytes.
func runProgram(t *testing.T, args ...string) (stdout []byte, peak int64) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "peak")
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asProgram+"=1", peakTo+"="+file)
	var log bytes.Buffer
	c.Stderr = &log
	stdout, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, last(log.String(), 500))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(text), &peak); err != nil {
		t.Fatal(err)
	}
	return stdout, peak << 10
}

// exampleNet is an example's prototxt with DummyData alone, of another batch where that is not 0.
func exampleNet(t *testing.T, path string, batch int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	if batch > 0 {
		text = regexp.MustCompile(`(shape \{ dim: )\d+`).ReplaceAll(text, fmt.Appendf(nil, "${1}%d", batch))
	}
	return writeNet(t, string(text))
}

// What summary predicts is within 10 % of the resident memory that time and train take at their peak.
func TestMemoryIsAsPredicted(t *testing.T) {
	needCPU(t)
	for _, c := range []struct {
		net   string
		batch int
	}{
		{"mnist/lenet_train_test.prototxt", 0}, {"cifar10/quick_train_test.prototxt", 0}, {"squeezenet/train_val.prototxt", 4},
		{"googlenet/train_val.prototxt", 4}, {"mobilenet/train_val.prototxt", 2}, {"resnet50/train_val.prototxt", 1}, {"alexnet/train_val.prototxt", 2},
	} {
		t.Run(filepath.Dir(c.net), func(t *testing.T) {
			model := exampleNet(t, c.net, c.batch)
			stdout, _ := runProgram(t, "summary", "-model", model, "-stage", "dummy", "-json")
			list := memoryOf(t, stdout)
			comparePeak(t, list[0], "time", "-model", model, "-stage", "dummy", "-iterations", "1")
			solver := fmt.Sprintf(`net: %q base_lr: 1e-6 lr_policy: "fixed" momentum: 0.9 max_iter: 2 snapshot_after_train: false`, model)
			comparePeak(t, list[1], "train", "-solver", writeNet(t, solver), "-stage", "dummy")
		})
	}
}

// A training by Adam, with two histories, clipped gradients and a test net, which has memory of its own.
func TestMemoryOfASolver(t *testing.T) {
	needCPU(t)
	model := exampleNet(t, "squeezenet/train_val.prototxt", 4)
	file := writeNet(t, fmt.Sprintf(`net: %q type: "Adam" base_lr: 1e-6 lr_policy: "fixed" momentum: 0.9 max_iter: 1 snapshot_after_train: false
clip_gradients: 10 test_iter: 1 test_interval: 1 train_state { stage: "dummy" } test_state { stage: "dummy" }`, model))
	stdout, _ := runProgram(t, "summary", "-solver", file, "-json")
	list := memoryOf(t, stdout)
	m := list[1]
	if m.Tests < 4<<20 || m.History < 2*m.Parameters {
		t.Errorf("the test net or a history is missing: %+v", m)
	}
	comparePeak(t, m, "train", "-solver", file)
	if code, _, log := call("gocaffe", "summary", "-solver", writeNet(t, `net: "x" type: "Adamant" base_lr: 1`)); code != exitFatal || !strings.Contains(log, "Adamant") {
		t.Errorf("exit %d: %s", code, last(log, 300))
	}
}

func memoryOf(t *testing.T, stdout []byte) []net.Memory {
	t.Helper()
	var s struct{ Memory []net.Memory }
	if err := json.Unmarshal(stdout, &s); err != nil || len(s.Memory) != 2 {
		t.Fatalf("%v: memory of time and train is missing: %s", err, last(string(stdout), 500))
	}
	return s.Memory
}

// needCPU skips where peaks cannot be compared.
func needCPU(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the peak of resident memory is read from /proc")
	}
	dev, err := engine.Open("cpu", engine.Config{})
	if err != nil {
		t.Skip(err) // its own tests fail where it must exist
	}
	if err := dev.Close(); err != nil {
		t.Fatal(err)
	}
}

func comparePeak(t *testing.T, want net.Memory, args ...string) {
	t.Helper()
	_, peak := runProgram(t, args...)
	off := 100 * (float64(want.Peak)/float64(peak) - 1)
	t.Logf("%s: predicted %s, took %s: %+.1f %%", args[0], mib(want.Peak), mib(peak), off)
	if off < -10 || off > 10 {
		t.Errorf("%s is predicted to take %s and takes %s: %+.1f %%; predicted %+v", want.Command, mib(want.Peak), mib(peak), off, want)
	}
}
