//go:build cgo

package hdf5

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gocaffe/gocaffe/proto"
)

const golden = "../../testdata/golden/solvers/"

func openFile(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Real Caffe's HDF5 snapshot has the weights of its binary one, from the same run.
func TestReadsCaffesWeights(t *testing.T) {
	f := openFile(t, golden+"sgd_snapshot_diff_hdf5/snap_iter_20.caffemodel.h5")
	want, err := proto.ReadNetWeights(golden + "sgd_fixed/snap_iter_20.caffemodel")
	if err != nil {
		t.Fatal(err)
	}
	blobs := 0
	for _, l := range want.Layer {
		for i, blob := range l.Blobs {
			path := fmt.Sprintf("/data/%s/%d", l.GetName(), i)
			shape, data, err := f.ReadFloats(path)
			if err != nil {
				t.Fatal(err)
			}
			var dims []int
			for _, d := range blob.Shape.Dim {
				dims = append(dims, int(d))
			}
			if !slices.Equal(shape, dims) || !slices.Equal(data, blob.Data) {
				t.Errorf("%s: %v, %d values: not those of the binary snapshot (%v)", path, shape, len(data), dims)
			}
			blobs++
		}
	}
	if blobs < 4 {
		t.Errorf("%d blobs compared, want more", blobs)
	}
	names, err := f.List("/data")
	if err != nil || !slices.Contains(names, "conv1") || !slices.IsSorted(names) {
		t.Errorf("List(/data) = %q, %v", names, err)
	}
}

func TestReadsCaffesState(t *testing.T) {
	f := openFile(t, golden+"sgd_snapshot_diff_hdf5/snap_iter_20.solverstate.h5")
	want, err := proto.ReadSolverState(golden + "sgd_fixed/snap_iter_20.solverstate")
	if err != nil {
		t.Fatal(err)
	}
	if iter, err := f.ReadInt("iter"); iter != 20 || err != nil {
		t.Errorf("iter = %d, %v; want 20", iter, err)
	}
	if step, err := f.ReadInt("current_step"); step != 0 || err != nil {
		t.Errorf("current_step = %d, %v; want 0", step, err)
	}
	if s, err := f.ReadString("learned_net"); s != "sgd_snapshot_diff_hdf5/snap_iter_20.caffemodel.h5" || err != nil {
		t.Errorf("learned_net = %q, %v", s, err)
	}
	names, err := f.List("history")
	if err != nil || len(names) != len(want.History) {
		t.Errorf("List(history) = %q, %v; want %d", names, err, len(want.History))
	}
	for i, h := range want.History {
		if _, data, err := f.ReadFloats(fmt.Sprintf("/history/%d", i)); err != nil || !slices.Equal(data, h.Data) {
			t.Errorf("history %d: %v, or not that of the binary snapshot", i, err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.h5")
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	values := []float32{1, -2, 3.5, 4, 5, 6}
	check(f.WriteFloats("/data/inception_3a/1x1/0", []int{2, 3}, values))
	check(f.WriteFloats("scalar", nil, values[:1]))
	check(f.WriteFloats("empty", []int{0, 4}, nil))
	check(f.WriteInt("iter", -123456))
	check(f.WriteString("learned_net", "a b.caffemodel.h5"))
	check(f.WriteString("none", ""))
	check(f.CreateGroup("/diff/relu1"))
	check(f.CreateGroup("/diff/relu1"))
	check(f.Close())
	f = openFile(t, path)
	for _, c := range []struct {
		path  string
		shape []int
		data  []float32
	}{{"/data/inception_3a/1x1/0", []int{2, 3}, values}, {"scalar", []int{}, values[:1]}, {"empty", []int{0, 4}, []float32{}}, {"iter", []int{1}, []float32{-123456}}} {
		shape, data, err := f.ReadFloats(c.path)
		if err != nil || !reflect.DeepEqual(shape, c.shape) || !slices.Equal(data, c.data) {
			t.Errorf("%s: %v %v, %v; want %v %v", c.path, shape, data, err, c.shape, c.data)
		}
	}
	if v, err := f.ReadInt("iter"); v != -123456 || err != nil {
		t.Errorf("iter = %d, %v", v, err)
	}
	for name, want := range map[string]string{"learned_net": "a b.caffemodel.h5", "none": ""} {
		if s, err := f.ReadString(name); s != want || err != nil {
			t.Errorf("%s = %q, %v; want %q", name, s, err, want)
		}
	}
	for name, want := range map[string]bool{"/diff/relu1": true, "diff/relu2": false, "/no/such/thing": false, "/": true, "data/inception_3a/1x1/0": true} {
		if found, err := f.Exists(name); found != want || err != nil {
			t.Errorf("Exists(%s) = %v, %v; want %v", name, found, err, want)
		}
	}
	if names, err := f.List("/"); err != nil || !slices.Equal(names, []string{"data", "diff", "empty", "iter", "learned_net", "none", "scalar"}) {
		t.Errorf("List(/) = %q, %v", names, err)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.h5")
	if err := os.WriteFile(garbage, []byte("not an HDF5 file"), 0o644); err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.h5")
	whole, err := os.ReadFile(golden + "sgd_snapshot_diff_hdf5/snap_iter_20.caffemodel.h5")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, whole[:len(whole)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.h5"): "no such file or directory", garbage: "file signature not found", cut: "truncated",
	} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%s): %v, want %q", path, err, want)
		}
	}
	if _, err := Create(filepath.Join(dir, "no", "x.h5")); err == nil || !strings.Contains(err.Error(), "cannot create HDF5 file") {
		t.Errorf("Create in a folder that is not there: %v", err)
	}
	f := openFile(t, golden+"sgd_snapshot_diff_hdf5/snap_iter_20.solverstate.h5")
	for _, c := range []struct {
		err  error
		want string
	}{
		{second(f.ReadInt("nope")), "cannot read nope"},
		{second(f.ReadInt("learned_net")), "learned_net has another type"},
		{second(f.ReadString("iter")), "iter has another type"},
		{second(f.ReadInt("a\x00b")), `no object can be called "a\x00b"`},
		{second(f.List("/nope")), "cannot list /nope"},
		{f.WriteInt("new", 1), "cannot write new"},
		{f.WriteFloats("new", []int{3}, nil), "0 values do not fill the shape [3]"},
		{f.WriteInt("new", 1<<40), "does not fit in 32 bits"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("got error %v, want %q", c.err, c.want)
		}
	}
	f.Close()
	if _, err := f.ReadInt("iter"); err == nil || !strings.Contains(err.Error(), "is closed") {
		t.Errorf("after Close: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// readAll reads all that is in a file, whatever is wrong with it.
func readAll(f *File, group string, depth int) {
	names, err := f.List(group)
	if err != nil || depth > 4 || len(names) > 100 {
		return
	}
	for _, name := range names {
		path := group + "/" + name
		f.ReadFloats(path)
		f.ReadInt(path)
		f.ReadString(path)
		readAll(f, path, depth+1)
	}
}

// A damaged file is an error, or other values, but never a crash.
func TestDamagedFiles(t *testing.T) {
	whole, err := os.ReadFile(golden + "sgd_snapshot_diff_hdf5/snap_iter_20.solverstate.h5")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.h5")
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		b := slices.Clone(whole)
		for range 1 + random.IntN(4) {
			b[random.IntN(len(b))] ^= byte(1 << random.IntN(8))
		}
		if random.IntN(4) == 0 {
			b = b[:random.IntN(len(b))]
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if f, err := Open(path); err == nil {
			readAll(f, "/", 0)
			f.Close()
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	f := openFile(t, golden+"sgd_snapshot_diff_hdf5/snap_iter_20.solverstate.h5")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if v, err := f.ReadInt("iter"); v != 20 || err != nil {
					t.Errorf("iter = %d, %v", v, err)
				}
			}
		})
	}
	wg.Wait()
}
