//go:build cgo

package data

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gocaffe/gocaffe/data/hdf5"
	"github.com/gocaffe/gocaffe/engine"
)

// The file has the rows of all batches once it is closed, and the one before it until then.
func TestHDF5Output(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.h5")
	check(t, os.WriteFile(path, []byte("the one before"), 0o644))
	o, err := CreateHDF5Output(path, nil)
	check(t, err)
	check(t, o.Write([]engine.Shape{{2, 1, 1, 2}, {2, 1, 1, 1}}, [][]float32{{1, 2, 3, 4}, {5, 6}}))
	check(t, o.Write([]engine.Shape{{1, 1, 1, 2}, {1, 1, 1, 1}}, [][]float32{{7, 8}, {9}}))
	for _, bad := range [][]engine.Shape{{{1, 1, 1, 2}, {2, 1, 1, 1}}, {{1, 1, 1, 3}, {1, 1, 1, 1}}, {{1, 1, 2, 1}, {1, 1, 1, 1}}, {{1, 1, 1, 2}}} {
		if o.Write(bad, [][]float32{{1, 2}, {3}}) == nil {
			t.Errorf("wrote %v", bad)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "the one before" {
		t.Errorf("the file is %q, %v before it is closed", text, err)
	}
	check(t, o.Close())
	f, err := hdf5.Open(path)
	check(t, err)
	defer f.Close()
	for name, want := range map[string]struct {
		shape []int
		data  []float32
	}{"data": {[]int{3, 1, 1, 2}, []float32{1, 2, 3, 4, 7, 8}}, "label": {[]int{3, 1, 1, 1}, []float32{5, 6, 9}}} {
		shape, data, err := f.ReadFloats(name)
		check(t, err)
		if !slices.Equal(shape, want.shape) || !slices.Equal(data, want.data) {
			t.Errorf("%s is %v %v, want %v", name, shape, data, want)
		}
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("left %v, %v", files, err)
	}
}

func TestHDF5OutputErrors(t *testing.T) {
	if _, err := CreateHDF5Output(filepath.Join(t.TempDir(), "no", "out.h5"), nil); err == nil {
		t.Error("prepared a file in a folder that is not there")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "out.h5")
	o, err := CreateHDF5Output(path, nil)
	check(t, err)
	check(t, o.Close())
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("wrote a file without a batch: %v", err)
	}
	check(t, o.Write([]engine.Shape{{1}, {1}}, [][]float32{{1}, {2}}))
	check(t, os.RemoveAll(dir))
	if o.Close() == nil {
		t.Error("wrote a file into a folder that has gone")
	}
}
