package solver

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// TestGoldenSolvers runs each solver that real Caffe ran, on the same data from the same weights:
// every number of its log, its snapshots, and resuming from Caffe's own.
func TestGoldenSolvers(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(golden(t), "*", "solver.prototxt"))
	if err != nil || len(dirs) < 20 {
		t.Fatalf("%d golden solvers, want 20 (%v)", len(dirs), err)
	}
	for name, dev := range enginetest.Devices(t) {
		for _, file := range dirs {
			run := filepath.Base(filepath.Dir(file))
			t.Run(name+"/"+run, func(t *testing.T) {
				t.Chdir(workCopy(t, run))
				t.Run("train", func(t *testing.T) { goldenTrain(t, dev, run) })
				t.Run("resume", func(t *testing.T) { goldenResume(t, dev, run) })
			})
		}
	}
}

// workCopy is a folder with what a run needs, without its results.
func workCopy(t *testing.T, run string) string {
	t.Helper()
	dir := t.TempDir()
	for _, pattern := range []string{"data", "*.prototxt", "*.caffemodel"} {
		files, _ := filepath.Glob(filepath.Join(golden(t), pattern))
		for _, f := range files {
			if err := os.Symlink(f, filepath.Join(dir, filepath.Base(f))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Mkdir(filepath.Join(dir, run), 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(golden(t), run, "solver.prototxt"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, run, "solver.prototxt"), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func goldenOptions(log net.Logger, dev engine.Device) Options {
	return Options{Device: dev, Open: openData(nil), Log: log, Stages: []string{""}, HDF5: testHDF5}
}

func goldenTrain(t *testing.T, dev engine.Device, run string) {
	f, err := proto.ReadSolver(run + "/solver.prototxt")
	if err != nil {
		t.Fatal(err)
	}
	log := new(lines)
	o := goldenOptions(log, dev)
	o.Weights = []string{"init_" + strings.TrimSuffix(f.Solver.GetNet(), ".prototxt") + ".caffemodel"}
	s, err := New(f, o)
	if err != nil {
		skipWithoutHDF5(t, f, err)
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Solve(); err != nil {
		t.Fatal(err)
	}
	compareLog(t, log.of(solverFile, sgdFile), goldenLog(t, run))
	for _, iter := range []string{"20", "40"} {
		compareSnapshots(t, run, iter)
	}
}

// skipWithoutHDF5 skips the one run that needs libhdf5 where it is missing, which CI may not.
func skipWithoutHDF5(t *testing.T, f *proto.SolverFile, err error) {
	if f.Solver.GetSnapshotFormat() == caffepb.SolverParameter_HDF5 && testHDF5 == nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// goldenResume goes on from Caffe's snapshot of iteration 20. Caffe would read the data from its
// start again, so the data is moved to where the golden run had it.
func goldenResume(t *testing.T, dev engine.Device, run string) {
	f, err := proto.ReadSolver(run + "/solver.prototxt")
	if err != nil {
		t.Fatal(err)
	}
	extension := ".solverstate"
	if f.Solver.GetSnapshotFormat() == caffepb.SolverParameter_HDF5 {
		extension += ".h5"
	}
	log := new(lines)
	o := goldenOptions(log, dev)
	o.Open = openAfter(20 * int(f.Solver.GetIterSize()))
	o.Snapshot = filepath.Join(golden(t), run, "snap_iter_20") + extension
	if err := os.RemoveAll(run); err != nil { // the weights are found beside the state
		t.Fatal(err)
	}
	if err := os.Mkdir(run, 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := New(f, o)
	if err != nil {
		skipWithoutHDF5(t, f, err)
		t.Fatal(err)
	}
	defer s.Close()
	if got := log.of("gocaffe.go:1] W "); len(got) != 1 || !strings.Contains(got[0], ".gocaffe") {
		t.Errorf("a missing side file is warned of by %q", got)
	}
	if err := s.Solve(); err != nil {
		t.Fatal(err)
	}
	compareSnapshots(t, run, "40")
}

// openAfter opens a data layer; that of the training has given some batches already.
func openAfter(batches int) func(*spec.Layer, func() uint32) (net.Source, error) {
	return func(l *spec.Layer, draw func() uint32) (net.Source, error) {
		source, err := openData(nil)(l, draw)
		if err != nil || l.GetPhase() != caffepb.Phase_TRAIN {
			return source, err
		}
		shapes, err := source.Shapes()
		if err != nil {
			return nil, err
		}
		dst := make([][]float32, len(shapes))
		for i, s := range shapes {
			dst[i] = make([]float32, s.Count())
		}
		for range batches {
			if err := source.Next(dst...); err != nil {
				return nil, err
			}
		}
		return source, nil
	}
}

// goldenLog are the lines that Caffe's solver logged, less prefix.
func goldenLog(t *testing.T, run string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(golden(t), run, "log.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	prefix := regexp.MustCompile(`^[IWE]\d+ [\d:.]+ +\d+ (.*)$`)
	for line := range strings.Lines(string(text)) {
		if m := prefix.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			list = append(list, m[1])
		} else {
			list[len(list)-1] += "\n" + strings.TrimSuffix(line, "\n")
		}
	}
	return (&lines{list: list}).of(solverFile, sgdFile)
}

var (
	number = regexp.MustCompile(`(?:= |norm |> |factor )(-?[0-9.]+(?:e[+-]?\d+)?)`)
	speed  = regexp.MustCompile(`\([^()]* iter/s, [^()]*s/`)
)

// compareLog wants the same lines in the same order, numbers to 1e-3.
func compareLog(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		g, w := strings.TrimSpace(speed.ReplaceAllString(got[i], "(")), strings.TrimSpace(speed.ReplaceAllString(want[i], "("))
		if number.ReplaceAllString(g, "N") != number.ReplaceAllString(w, "N") {
			t.Fatalf("line %d:\n got %s\nwant %s", i, g, w)
		}
		a, b := number.FindAllStringSubmatch(g, -1), number.FindAllStringSubmatch(w, -1)
		for j := range a {
			x, errX := strconv.ParseFloat(a[j][1], 64)
			y, errY := strconv.ParseFloat(b[j][1], 64)
			if errX != nil || errY != nil || math.Abs(x-y) > 1e-3*math.Max(math.Abs(y), 1e-2) {
				t.Errorf("line %d:\n got %s\nwant %s", i, g, w)
			}
		}
	}
}

// compareSnapshots compares weights, their diffs and histories with Caffe's.
func compareSnapshots(t *testing.T, run, iter string) {
	t.Helper()
	name := filepath.Join(run, "snap_iter_"+iter)
	theirs := filepath.Join(golden(t), name)
	if strings.HasSuffix(run, "hdf5") {
		compareHDF5(t, name, theirs)
		return
	}
	got, err := proto.ReadNetWeights(name + ".caffemodel")
	if err != nil {
		t.Fatal(err)
	}
	want, err := proto.ReadNetWeights(theirs + ".caffemodel")
	if err != nil {
		t.Fatal(err)
	}
	compareWeights(t, got, want)
	gotState, err := proto.ReadSolverState(name + ".solverstate")
	if err != nil {
		t.Fatal(err)
	}
	wantState, err := proto.ReadSolverState(theirs + ".solverstate")
	if err != nil {
		t.Fatal(err)
	}
	compareStates(t, gotState, wantState)
}

func compareWeights(t *testing.T, got, want *caffepb.NetParameter) {
	t.Helper()
	if len(got.Layer) != len(want.Layer) {
		t.Fatalf("%d layers, want %d", len(got.Layer), len(want.Layer))
	}
	for i, w := range want.Layer {
		g := got.Layer[i]
		if g.GetName() != w.GetName() || len(g.Blobs) != len(w.Blobs) {
			t.Fatalf("layer %d is %s with %d blobs, want %s with %d", i, g.GetName(), len(g.Blobs), w.GetName(), len(w.Blobs))
		}
		for j := range w.Blobs {
			compareBlob(t, g.GetName(), g.Blobs[j], w.Blobs[j])
		}
	}
}

func compareStates(t *testing.T, got, want *caffepb.SolverState) {
	t.Helper()
	if got.GetIter() != want.GetIter() || got.GetCurrentStep() != want.GetCurrentStep() || got.GetLearnedNet() != want.GetLearnedNet() {
		t.Errorf("iter %d, step %d, net %s; want %d, %d, %s", got.GetIter(), got.GetCurrentStep(), got.GetLearnedNet(),
			want.GetIter(), want.GetCurrentStep(), want.GetLearnedNet())
	}
	if len(got.History) != len(want.History) {
		t.Fatalf("%d histories, want %d", len(got.History), len(want.History))
	}
	for i := range want.History {
		compareBlob(t, "history "+strconv.Itoa(i), got.History[i], want.History[i])
	}
}

// compareBlob wants shapes equal and numbers to 1e-3 of the largest. What is below 1e-3 altogether is
// compared to 1e-6: the gradient of a bias before BatchNorm is nothing but rounding.
func compareBlob(t *testing.T, name string, got, want *caffepb.BlobProto) {
	t.Helper()
	shapeG, _ := proto.BlobShape(got)
	shapeW, _ := proto.BlobShape(want)
	g, errG := proto.BlobData(got)
	w, errW := proto.BlobData(want)
	if errG != nil || errW != nil || len(g) != len(w) || len(shapeG) != len(shapeW) || len(w) == 0 {
		t.Fatalf("%s has shape %v, want %v (%v, %v)", name, shapeG, shapeW, errG, errW)
	}
	if len(got.Diff) != len(want.Diff) {
		t.Errorf("%s has %d diffs, want %d", name, len(got.Diff), len(want.Diff))
	}
	largest, worst := 0.0, 0.0
	for i := range w {
		largest = math.Max(largest, math.Abs(float64(w[i])))
		worst = math.Max(worst, math.Abs(float64(g[i])-float64(w[i])))
	}
	if !(worst <= 1e-3*math.Max(largest, 1e-3)) {
		t.Errorf("%s is off by %g, its largest number is %g", name, worst, largest)
	}
}
