//go:build cgo

package data

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/data/hdf5"
	"github.com/gocaffe/gocaffe/internal/damagetest"
)

// readSource opens an HDF5Data layer and reads its first rows. Errors name the list, which names the file.
func readSource(t testing.TB, name string, list, file []byte) error {
	t.Helper()
	dir := t.TempDir()
	p := rowLayer(filepath.Join(dir, "list.txt"))
	if err := os.WriteFile(filepath.Join(dir, "a.h5"), file, 0o644); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(list), "DIR", dir)
	if err := os.WriteFile(p.Hdf5DataParam.GetSource(), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := OpenHDF5Data(p, Options{})
	if err == nil {
		defer l.Close()
		shapes, shapeErr := l.Shapes()
		if err = shapeErr; err == nil && shapes[0].Count() < 1<<20 {
			err = l.Next(make([]float32, shapes[0].Count()), make([]float32, shapes[1].Count()))
		}
	}
	if err != nil && !strings.Contains(err.Error(), p.Hdf5DataParam.GetSource()) {
		t.Errorf("%s: the error does not name the list: %v", name, err)
	}
	return err
}

func dataFile(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.h5")
	f, err := hdf5.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{f.WriteFloats("x", []int{3, 2}, make([]float32, 6)), f.WriteFloats("label", []int{3}, make([]float32, 3)), f.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A data file or its list with any damage is an error that names the list, or other values.
func TestDamagedHDF5Data(t *testing.T) {
	list, file := []byte("DIR/a.h5\n"), dataFile(t)
	if err := readSource(t, "whole", list, file); err != nil {
		t.Fatal(err)
	}
	damagetest.Each(t, file, 400, func(name string, b []byte) {
		damagetest.Within(t, name, 8<<20, func() {
			if err := readSource(t, name, list, b); err == nil && len(b) < len(file) {
				t.Errorf("%s: no error", name)
			}
		})
	})
	damagetest.Each(t, list, 100, func(name string, b []byte) { _ = readSource(t, "list "+name, b, file) })
}

// FuzzHDF5Data: whatever a list and a file hold, rows are read or an error names the list.
func FuzzHDF5Data(f *testing.F) {
	file := dataFile(f)
	f.Add([]byte("DIR/a.h5\n"), file)
	f.Add([]byte("DIR/b.h5 DIR/a.h5"), file[:len(file)/2])
	f.Fuzz(func(t *testing.T, list, file []byte) {
		damagetest.Within(t, "HDF5Data", 32<<20+uint64(len(file))*1032*8, func() { _ = readSource(t, "HDF5Data", list, file) })
	})
}
