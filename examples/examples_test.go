// Package examples holds nets to start from; this test builds and trains each.
package examples

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pb "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/engine"
	_ "github.com/gocaffe/gocaffe/engine/ref"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/solver"
)

// large nets take minutes a step in plain Go: they run where oneDNN is.
var large = map[string]bool{
	"alexnet": true, "caffenet": true, "finetune": true, "googlenet": true, "mobilenet": true,
	"resnet50": true, "squeezenet": true, "vgg16": true,
}

// TestExamples takes two steps of each solver on DummyData, in batches of two.
func TestExamples(t *testing.T) {
	t.Chdir("..") // the paths in the prototxts start at the repository's root
	solvers, err := filepath.Glob("examples/*/*solver.prototxt")
	if err != nil || len(solvers) < 11 {
		t.Fatalf("found %d solvers (%v)", len(solvers), err)
	}
	for _, path := range solvers {
		folder := filepath.Base(filepath.Dir(path))
		t.Run(strings.TrimPrefix(path, "examples/"), func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "README.md")); err != nil {
				t.Error(err)
			}
			dev := open(t, large[folder])
			defer dev.Close()
			takeSteps(t, dev, shrink(t, path))
		})
	}
}

// open opens the fast engine, else the plain one for nets that are small.
func open(t *testing.T, large bool) engine.Device {
	t.Helper()
	dev, err := engine.Open("cpu", engine.Config{})
	if err == nil {
		return dev
	}
	if strings.Contains(os.Getenv("GOCAFFE_TEST_ENGINES"), "cpu") {
		t.Fatal(err)
	}
	if large {
		t.Skipf("too slow without engine cpu: %v", err)
	}
	dev, err = engine.Open("ref", engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

// shrink is the example's solver for two steps on its DummyData, the batch cut
// to two. Everything else, the rate policy and the fillers too, is as written.
func shrink(t *testing.T, path string) *proto.SolverFile {
	t.Helper()
	f, err := proto.ReadSolver(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := proto.ReadNet(f.Solver.GetNet())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range n.Net.Layer {
		for _, s := range l.GetDummyDataParam().GetShape() {
			s.Dim[0] = 2
		}
	}
	s := f.Solver
	s.Net, s.NetParam = nil, n.Net
	s.TestIter, s.TestInterval = nil, nil
	s.TrainState = &caffepb.NetState{Stage: []string{"dummy"}}
	s.MaxIter, s.Display, s.IterSize = pb.Int32(2), pb.Int32(0), nil
	s.Snapshot, s.SnapshotAfterTrain = pb.Int32(0), pb.Bool(false)
	s.SnapshotPrefix = pb.String(filepath.Join(t.TempDir(), "net"))
	s.RandomSeed = pb.Int64(1)
	small, err := proto.ParseSolver(path, []byte(proto.Text(s)))
	if err != nil {
		t.Fatal(err)
	}
	return small
}

// takeSteps trains and checks that the loss is that of a net that knows nothing yet, then a number.
func takeSteps(t *testing.T, dev engine.Device, f *proto.SolverFile) {
	t.Helper()
	steps := 0
	s, err := solver.New(f, solver.Options{Device: dev, Progress: func(p solver.Progress) {
		steps++
		// All labels are one class, which a large rate may learn in one step.
		loss := float64(p.Loss)
		if math.IsNaN(loss) || loss < 0 || loss > 100 || steps == 1 && loss < 0.5 {
			t.Errorf("iteration %d: loss %g", p.Iteration, loss)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Solve(); err != nil {
		t.Fatal(err)
	}
	if steps != 2 {
		t.Errorf("%d steps, want 2", steps)
	}
}
