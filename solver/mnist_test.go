package solver

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/data/mnist"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/internal/sharedtest"
	"github.com/gocaffe/gocaffe/proto"
)

// TestGoldenMnist trains LeNet with the seed of a run of real Caffe: the same weights are drawn, so
// the curve starts out the same. At iteration 8 the golden run takes another one of two outputs that
// are equal but for rounding; Caffe on a machine without FMA (OPENBLAS_CORETYPE=Nehalem) goes our way
// and has 0.84192 and 0.306774 at iterations 20 and 40. 600 iterations take the plain Go engine
// and the fake GPU minutes: the one does the first 21, the other 200, and is tested then.
func TestGoldenMnist(t *testing.T) {
	if testing.Short() {
		t.Skip("trains LeNet")
	}
	dir := sharedtest.Dir(t, "golden/mnist")
	want, err := os.ReadFile(filepath.Join(dir, "lenet_seed1701_600it.log"))
	if err != nil {
		t.Fatal(err)
	}
	digits, err := mnist.Find()
	if err != nil {
		t.Fatal(err)
	}
	devices := enginetest.Devices(t)
	t.Chdir(t.TempDir())
	for _, set := range []mnist.Set{mnist.Train, mnist.Test} {
		if err := mnist.MakeLMDB("mnist_"+set.Name+"_lmdb", digits, set); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "lenet_train_test.prototxt"), "lenet_train_test.prototxt"); err != nil {
		t.Fatal(err)
	}
	for name, dev := range devices {
		t.Run(name, func(t *testing.T) {
			f, err := proto.ReadSolver(filepath.Join(dir, "short_solver.prototxt"))
			if err != nil {
				t.Fatal(err)
			}
			*f.Solver.SnapshotPrefix = "short"
			switch {
			case name == "ref":
				*f.Solver.MaxIter, f.Solver.TestIter = 21, []int32{1}
			case strings.Contains(dev.Info().Name, "fake"):
				*f.Solver.MaxIter, f.Solver.TestInitialization = 200, new(bool)
			}
			log := new(lines)
			s, err := New(f, Options{Device: dev, Open: openData(nil), Log: log})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Solve(); err != nil {
				t.Fatal(err)
			}
			compareCurves(t, log.of(solverFile), strings.Split(string(want), "\n"), int(f.Solver.GetMaxIter()))
		})
	}
}

var (
	displayLine  = regexp.MustCompile(`Iteration (\d+) \(.*, loss = (\S+)`)
	testLine     = regexp.MustCompile(`Iteration (\d+), Testing net`)
	accuracyLine = regexp.MustCompile(`Test net output #0: accuracy = (\S+)`)
)

// curve is the losses by iteration, and the accuracies.
func curve(lines []string) (losses, accuracies map[int]float64) {
	losses, accuracies = map[int]float64{}, map[int]float64{}
	tested := 0
	for _, l := range lines {
		if m := displayLine.FindStringSubmatch(l); m != nil {
			i, _ := strconv.Atoi(m[1])
			losses[i], _ = strconv.ParseFloat(m[2], 64)
		} else if m := testLine.FindStringSubmatch(l); m != nil {
			tested, _ = strconv.Atoi(m[1])
		} else if m := accuracyLine.FindStringSubmatch(l); m != nil {
			accuracies[tested], _ = strconv.ParseFloat(m[1], 64)
		}
	}
	return losses, accuracies
}

// compareCurves compares what there is of the given number of iterations.
func compareCurves(t *testing.T, got, want []string, iterations int) {
	t.Helper()
	gotLoss, gotAccuracy := curve(got)
	wantLoss, wantAccuracy := curve(want)
	near := func(i int, tolerance float64) {
		if math.Abs(gotLoss[i]-wantLoss[i]) > tolerance*wantLoss[i] || wantLoss[i] == 0 {
			t.Errorf("iteration %d: loss %g, Caffe's is %g", i, gotLoss[i], wantLoss[i])
		}
	}
	near(0, 1e-5)
	near(20, 5e-4)
	if iterations > 40 {
		near(40, 1e-2)
	}
	for _, i := range []int{200, 400, 600} {
		if i <= iterations && (math.Abs(gotAccuracy[i]-wantAccuracy[i]) > 0.005 || wantAccuracy[i] == 0) {
			t.Errorf("iteration %d: accuracy %g, Caffe's is %g", i, gotAccuracy[i], wantAccuracy[i])
		}
	}
	t.Logf("accuracies %v, Caffe's %v", gotAccuracy, wantAccuracy)
}
