package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTimeJSON(t *testing.T) {
	code, stdout, stderr := call("gocaffe", "time", "-json", "-model", writeNet(t, twoLayers), "-iterations", "3", "-engine", "ref")
	var got timings
	if err := json.NewDecoder(bytes.NewBufferString(stdout)).Decode(&got); code != 0 || err != nil {
		t.Fatalf("exit %d, %v\n%s", code, err, stderr)
	}
	if got.Name != "two" || got.Engine != "ref" || got.Iterations != 3 || len(got.Layers) != 6 {
		t.Errorf("%+v", got)
	}
	var forward, backward float64
	for _, l := range got.Layers {
		forward, backward = forward+l.Forward, backward+l.Backward
	}
	if !(forward > 0 && forward <= got.Forward && backward > 0 && backward <= got.Backward && got.Total > 0) {
		t.Errorf("layers sum to %g and %g in %+v", forward, backward, got)
	}
}

// On a GPU the averages are those of whole passes, which take less time than their steps one by one.
func TestTimeGPU(t *testing.T) {
	withGPU(t)
	for try := 1; ; try++ { // the machine may be busy with something else
		code, stdout, stderr := call("gocaffe", "time", "-json", "-model", writeNet(t, twoLayers), "-iterations", "20", "-gpu", "0")
		var got timings
		if err := json.NewDecoder(bytes.NewBufferString(stdout)).Decode(&got); code != 0 || err != nil {
			t.Fatalf("exit %d, %v\n%s", code, err, stderr)
		}
		var steps float64
		for _, l := range got.Layers {
			steps += l.Forward + l.Backward
		}
		if 0 < got.ForwardBackward && got.ForwardBackward < steps {
			return
		}
		if try == 5 {
			t.Fatalf("the passes take %g ms, their steps %g", got.ForwardBackward, steps)
		}
	}
}

// With a solver the update is measured too; by layer, by kind of operation and in sum the times say the same. An update of
// all params at once belongs to no layer.
func TestTimeParts(t *testing.T) {
	t.Run("joined", func(t *testing.T) { timeParts(t, "UpdateAll", 1) })
	t.Run("apart", func(t *testing.T) {
		t.Setenv("GOCAFFE_FUSE", "0")
		timeParts(t, "Update", 4)
	})
}

func timeParts(t *testing.T, update string, steps int) {
	solver := filepath.Join(t.TempDir(), "solver.prototxt")
	if err := os.WriteFile(solver, []byte(`type: "Nesterov" momentum: 0.9 base_lr: 0.1 lr_policy: "fixed"`), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := call("gocaffe", "time", "-json", "-model", writeNet(t, twoLayers), "-iterations", "2", "-engine", "ref", "-solver", solver)
	var got timings
	if err := json.NewDecoder(bytes.NewBufferString(stdout)).Decode(&got); code != 0 || err != nil {
		t.Fatalf("exit %d, %v\n%s", code, err, stderr)
	}
	byOp, byLayer := map[string]float64{}, map[string]float64{}
	for _, o := range got.Ops {
		byOp[o.Direction] += o.Milliseconds
		if o.Direction == "update" && (o.Op != update || o.Steps != steps) {
			t.Errorf("4 params are updated by %d of %s, want %d of %s", o.Steps, o.Op, steps, update)
		}
	}
	for _, l := range got.Layers {
		byLayer["forward"] += l.Forward
		byLayer["update"] += l.Update
	}
	if update == "UpdateAll" {
		byLayer["update"] += byOp["update"]
	}
	if !(got.Update > 0 && byOp["update"] > 0 && byOp["update"] <= got.Update && math.Abs(byOp["update"]-byLayer["update"]) < 1e-9) {
		t.Errorf("the update takes %g: %v by operation, %v by layer", got.Update, byOp, byLayer)
	}
	if byOp["forward"] < byLayer["forward"]-1e-9 || byOp["forward"] > got.Forward || got.Forward+got.Backward > got.ForwardBackward {
		t.Errorf("%v by operation, %v by layer in %+v", byOp, byLayer, got)
	}
	lines := []string{"gocaffe.go:1] Average Update: ", "gocaffe.go:1] Average Reorders: ", "gocaffe.go:1] Average Data wait: "}
	if update == "Update" {
		lines = append(lines, "c\tupdate: ")
	}
	for _, want := range lines {
		if !strings.Contains(stderr, want) {
			t.Errorf("the log lacks %q:\n%s", want, stderr)
		}
	}
	if code, _, stderr := call("gocaffe", "time", "-model", writeNet(t, twoLayers), "-phase", "TEST", "-solver", solver); code != exitFatal || !strings.Contains(stderr, "phase TEST") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// In phase TEST there is no backward pass, and Caffe's lines are all there.
func TestTimeTest(t *testing.T) {
	code, _, stderr := call("gocaffe", "time", "-model", writeNet(t, twoLayers), "-iterations", "2", "-engine", "ref", "-phase", "TEST")
	if code != 0 {
		t.Fatal(stderr)
	}
	for _, want := range []string{"Performing Backward", "ip\tbackward: 0 ms.", "Average Backward pass: "} {
		if !strings.Contains(stderr, want) {
			t.Errorf("the log lacks %q:\n%s", want, stderr)
		}
	}
}
