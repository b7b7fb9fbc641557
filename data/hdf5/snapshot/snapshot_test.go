package snapshot

import (
	"os"
	"path/filepath"
	"testing"

	pb "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/data/hdf5"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

const golden = "../../../testdata/golden/solvers/sgd_snapshot_diff_hdf5"

// needLibrary skips where libhdf5 is missing, which CI may not.
func needLibrary(t *testing.T) {
	t.Helper()
	if _, err := hdf5.Library(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// Real Caffe's files are read, and what we write of them is read as the same.
func TestCaffesFiles(t *testing.T) {
	needLibrary(t)
	w, err := HDF5{}.ReadWeights(filepath.Join(golden, "snap_iter_20.caffemodel.h5"))
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string][]int{}
	for _, l := range w.Layer {
		shapes[l.GetName()] = []int{}
		for _, b := range l.Blobs {
			shapes[l.GetName()] = append(shapes[l.GetName()], len(b.Data))
		}
	}
	for layer, want := range map[string][]int{"conv1": {216, 8}, "ip1": {3200, 16}, "ip2": {80, 5}, "relu1": {}, "data": {}} {
		if got, ok := shapes[layer]; !ok || len(got) != len(want) || len(want) > 0 && (got[0] != want[0] || got[1] != want[1]) {
			t.Errorf("%s has blobs of %v values, want %v", layer, got, want)
		}
	}
	s, err := HDF5{}.ReadState(filepath.Join(golden, "snap_iter_20.solverstate.h5"))
	if err != nil {
		t.Fatal(err)
	}
	if s.GetIter() != 20 || len(s.History) != 6 || filepath.Base(s.GetLearnedNet()) != "snap_iter_20.caffemodel.h5" {
		t.Errorf("iter %d, %d histories, learned_net %q", s.GetIter(), len(s.History), s.GetLearnedNet())
	}
	dir := t.TempDir()
	weights, state := filepath.Join(dir, "w.h5"), filepath.Join(dir, "s.h5")
	if err := (HDF5{}).WriteWeights(weights, w); err != nil {
		t.Fatal(err)
	}
	if err := (HDF5{}).WriteState(state, s); err != nil {
		t.Fatal(err)
	}
	if again, err := (HDF5{}).ReadWeights(weights); err != nil || !pb.Equal(again, w) {
		t.Errorf("weights written and read differ: %v", err)
	}
	if again, err := (HDF5{}).ReadState(state); err != nil || !pb.Equal(again, s) {
		t.Errorf("a state written and read differs: %v", err)
	}
}

// Gradients go to /diff, a shared blob is there once, and names with slashes come back.
func TestLayout(t *testing.T) {
	needLibrary(t)
	blob := func(x float32) *caffepb.BlobProto {
		b := proto.NewBlob([]int{2}, []float32{x, x + 1})
		b.Diff = []float32{10 * x, 10 * x}
		return b
	}
	layer := func(name, param string, x float32) *caffepb.LayerParameter {
		l := &caffepb.LayerParameter{Name: &name, Blobs: []*caffepb.BlobProto{blob(x), blob(x + 2)}}
		if param != "" {
			l.Param = []*caffepb.ParamSpec{{Name: &param}}
		}
		return l
	}
	path := filepath.Join(t.TempDir(), "w.h5")
	net := &caffepb.NetParameter{Layer: []*caffepb.LayerParameter{layer("inception/3x3", "", 1), layer("a", "shared", 2), layer("b", "shared", 3)}}
	if err := (HDF5{}).WriteWeights(path, net); err != nil {
		t.Fatal(err)
	}
	f, err := hdf5.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for p, want := range map[string]bool{"/data/a/0": true, "/data/b/0": false, "/data/b/1": true, "/diff/b/0": true, "/data/inception/3x3/1": true, "/diff/inception/3x3/0": true} {
		if ok, err := f.Exists(p); err != nil || ok != want {
			t.Errorf("%s: %v %v, want %v", p, ok, err, want)
		}
	}
	if _, d, err := f.ReadFloats("/diff/a/1"); err != nil || d[0] != 40 {
		t.Errorf("/diff/a/1: %v %v", d, err)
	}
	w, err := HDF5{}.ReadWeights(path)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*caffepb.LayerParameter{}
	for _, l := range w.Layer {
		byName[l.GetName()] = l
	}
	if len(w.Layer) != 3 || len(byName["inception/3x3"].GetBlobs()) != 2 || byName["a"].GetBlobs()[0].Data[0] != 2 {
		t.Errorf("read back: %v", w)
	}
	if b := byName["b"].GetBlobs(); len(b) != 2 || pb.Size(b[0]) != 0 || b[1].Data[0] != 5 {
		t.Errorf("the sharing layer: %v", b)
	}
}

func TestErrors(t *testing.T) {
	needLibrary(t)
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no HDF5"), 0o644); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(golden, "snap_iter_20.solverstate.h5")
	for _, path := range []string{text, filepath.Join(dir, "missing"), state} {
		if _, err := (HDF5{}).ReadWeights(path); err == nil {
			t.Errorf("%s was read as weights", path)
		}
	}
	if _, err := (HDF5{}).ReadState(filepath.Join(golden, "snap_iter_20.caffemodel.h5")); err == nil {
		t.Error("weights were read as a state")
	}
}
