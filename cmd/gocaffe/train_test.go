package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/glog"
)

// trainDir is a folder with a solver that runs a small net for a number of iterations.
func trainDir(t *testing.T, solver string) {
	t.Helper()
	dir := t.TempDir()
	net := `name: "small"
layer { name: "d" type: "DummyData" top: "x" top: "y" dummy_data_param { data_filler { type: "gaussian" } shape { dim: 4 dim: 3 } shape { dim: 4 dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "z" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "z" bottom: "y" top: "loss" }
`
	for name, text := range map[string]string{"net.prototxt": net, "solver.prototxt": `net: "net.prototxt" base_lr: 0.001 lr_policy: "fixed" snapshot_prefix: "snap" random_seed: 1 ` + solver} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

// trigger is a log that sends a signal to this process when a text first appears.
type trigger struct {
	mu   sync.Mutex
	log  bytes.Buffer
	text string
	sig  syscall.Signal
}

func (w *trigger) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log.Write(p)
	if w.text != "" && strings.Contains(w.log.String(), w.text) {
		w.text = ""
		if err := syscall.Kill(os.Getpid(), w.sig); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func TestSignals(t *testing.T) {
	const endless = "max_iter: 1000000000 display: 50 "
	for _, c := range []struct {
		name, solver, args string
		sig                syscall.Signal
		exit               int
		want               []string
		snapshots          int // .caffemodel files at the end
	}{
		{"INT stops", endless, "", syscall.SIGINT, exitOK, []string{"Optimization stopped early.", "caffe.cpp:250] Optimization Done."}, 1},
		{"INT without the last snapshot", endless + "snapshot_after_train: false", "", syscall.SIGINT, exitOK, []string{"Optimization stopped early."}, 0},
		{"HUP snapshots", "max_iter: 20000 display: 50 snapshot_after_train: false", "", syscall.SIGHUP, exitOK, []string{"Snapshotting to binary proto file snap_iter_", "solver.cpp:332] Optimization Done."}, 1},
		{"HUP stops", endless, "-sighup_effect stop", syscall.SIGHUP, exitOK, []string{"Optimization stopped early."}, 1},
		{"INT does nothing", "max_iter: 20000 display: 50 snapshot_after_train: false", "-sigint_effect=none", syscall.SIGINT, exitOK, []string{"solver.cpp:332] Optimization Done."}, 0},
		{"TERM snapshots and stops", endless + "snapshot_after_train: false", "", syscall.SIGTERM, exitTerminated, []string{"Optimization stopped early."}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			trainDir(t, c.solver)
			w := &trigger{text: "Iteration 50 ", sig: c.sig}
			code := run(append([]string{"caffe", "train", "-solver", "solver.prototxt", "-engine", "ref"}, strings.Fields(c.args)...), w, w)
			log := w.log.String()
			if code != c.exit {
				t.Errorf("exit %d, want %d", code, c.exit)
			}
			for _, want := range c.want {
				if !strings.Contains(log, want) {
					t.Errorf("the log lacks %q:\n%s", want, last(log, 1000))
				}
			}
			models, err := filepath.Glob("snap_iter_*.caffemodel")
			if err != nil || len(models) != c.snapshots {
				t.Errorf("%d snapshots, want %d: %v %v", len(models), c.snapshots, models, err)
			}
		})
	}
}

func TestTrainErrors(t *testing.T) {
	for _, c := range []struct {
		name, solver, args string
		exit               int
		want               string
	}{
		{"solver_mode overruled", "max_iter: 1 solver_mode: GPU", "-engine ref", exitOK, "Use CPU."},
		{"engine", "max_iter: 1", "-engine gpu", exitFatal, `no engine "gpu"`},
		{"bf16", "max_iter: 1", "-engine ref -precision bf16", exitOK, "Optimization Done."},
		{"tf32", "max_iter: 1", "-engine ref -precision tf32", exitFatal, `precision "tf32": this engine computes in fp32 or bf16 only`},
		{"precision", "max_iter: 1", "-engine ref -precision fp8", exitFatal, `no precision "fp8"`},
		{"compat", "max_iter: 1", "-compat caffe2", exitUsage, "ERROR: illegal value 'caffe2' specified for flag 'compat'"},
		{"log style", "max_iter: 1", "-log_style 2016", exitUsage, "ERROR: illegal value '2016' specified for flag 'log_style'"},
		{"threads", "max_iter: 1", "-threads -1", exitUsage, "ERROR: illegal value '-1' specified for flag 'threads'"},
		{"level", "max_iter: 1", "-level x", exitUsage, "ERROR: illegal value 'x' specified for int32 flag 'level'"},
		{"json", "max_iter: 1", "-json", exitUsage, "ERROR: unknown command line flag 'json'"},
		{"field", "max_iters: 1", "", exitFatal, "Failed to parse SolverParameter file: solver.prototxt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			trainDir(t, c.solver)
			code, _, log := call(append([]string{"gocaffe", "train", "-solver", "solver.prototxt"}, strings.Fields(c.args)...)...)
			if code != c.exit || !strings.Contains(log, c.want) {
				t.Errorf("exit %d, want %d and %q in\n%s", code, c.exit, c.want, last(log, 1500))
			}
		})
	}
}

func TestLogStyle(t *testing.T) {
	trainDir(t, "max_iter: 4 display: 2 snapshot_after_train: false")
	args := []string{"gocaffe", "train", "-solver", "solver.prototxt", "-engine", "ref"}
	_, _, now := call(args...)
	if !strings.Contains(now, "] Iteration 2 (") {
		t.Errorf("no iterations a second in\n%s", last(now, 1000))
	}
	_, _, then := call(append(args, "-log_style", "2015")...)
	if !strings.Contains(then, "] Iteration 2, loss = ") || strings.Contains(then, "iter/s") {
		t.Errorf("not the style of 2015:\n%s", last(then, 1000))
	}
}

// glog's environment variables work, and an error keeps its F line.
func TestMinLogLevel(t *testing.T) {
	t.Setenv("GLOG_minloglevel", "2")
	trainDir(t, "max_iter: 2 display: 1 snapshot_after_train: false")
	code, stdout, log := call("caffe", "train", "-solver=solver.prototxt", "-engine=ref")
	if code != 0 || stdout != "" || log != "" {
		t.Errorf("exit %d, stdout %q, log %q", code, stdout, log)
	}
	code, _, log = call("caffe", "train")
	if code != exitFatal || !strings.HasPrefix(log, "F") || strings.Count(log, "\n") != 1 {
		t.Errorf("exit %d, log %q", code, log)
	}
}

func TestNames(t *testing.T) {
	if _, out, _ := call("/usr/bin/caffe", "-version"); out != "caffe version 1.0.0\n" {
		t.Errorf("caffe: %q", out)
	}
	if _, out, _ := call("bin/gocaffe", "--version"); out != "gocaffe version "+version+" (Caffe 1.0.0)\n" {
		t.Errorf("gocaffe: %q", out)
	}
	code, out, _ := call("gocaffe", "time", "--help")
	if code != exitUsage || !strings.Contains(out, "usage: gocaffe time <args>") || !strings.Contains(out, "-json") || strings.Contains(out, "-blobs") {
		t.Errorf("help of time: exit %d\n%s", code, out)
	}
	if code, out, _ := call("gocaffe", "completion", "bash"); code != 0 || !strings.Contains(out, "__start_gocaffe") {
		t.Errorf("completion: exit %d, %d bytes", code, len(out))
	}
}

func TestDeviceQuery(t *testing.T) {
	code, stdout, log := call("gocaffe", "device_query", "-threads", "1")
	if code != 0 || stdout != "" {
		t.Errorf("exit %d, stdout %q", code, stdout)
	}
	for _, want := range []string{"caffe.cpp:138] Querying GPUs \n", "] engine cpu: ", "] engine ref: plain Go, ", ", 1 threads", "] JPEG files: ", "] HDF5 files: "} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

// Where the usual engine cannot be opened, the reference engine runs, which one line says.
func TestFallback(t *testing.T) {
	var log bytes.Buffer
	a := &app{log: glog.New("gocaffe", &log, glog.Default())}
	dev, err := a.openUsual("none such", engine.Config{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	if name := dev.Info().Engine; name != "ref" || strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "engine in plain Go") {
		t.Errorf("engine %s, log %q", name, log.String())
	}
	if _, err := a.openUsual("none such", engine.Config{Precision: "bf16"}); err == nil {
		t.Error("a precision that no engine has was accepted")
	}
}

// -metrics writes a line a display; a full disk there costs a warning, not the training.
func TestMetrics(t *testing.T) {
	trainDir(t, "max_iter: 25 display: 10 ")
	train := func(metrics string, want int) (log string) {
		t.Helper()
		var out bytes.Buffer
		if code := run([]string{"caffe", "train", "-solver", "solver.prototxt", "-engine", "ref", "-metrics", metrics}, &out, &out); code != want {
			t.Fatalf("-metrics %s: exit code %d, want %d: %s", metrics, code, want, out.String())
		}
		return out.String()
	}
	train("m.jsonl", 0)
	text, err := os.ReadFile("m.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3: %s", len(lines), text)
	}
	var last struct {
		Iteration int                  `json:"iteration"`
		Loss, LR  *float64             `json:",omitempty"`
		DataWait  *float64             `json:"data_wait"`
		Outputs   map[string][]float64 `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(lines[2]), &last); err != nil {
		t.Fatal(err)
	}
	if last.Iteration != 20 || last.Loss == nil || *last.Loss <= 0 || *last.LR != 0.001 || *last.DataWait != 0 || len(last.Outputs["loss"]) != 1 {
		t.Errorf("last line %s", lines[2])
	}
	if _, err := os.Stat("/dev/full"); err == nil {
		if log := train("/dev/full", 0); strings.Count(log, "the training goes on without") != 1 {
			t.Errorf("not one warning of a full disk: %s", log)
		}
	}
	train("nowhere/m.jsonl", 134)
}
