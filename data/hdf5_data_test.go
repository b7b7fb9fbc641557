//go:build cgo

package data

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/data/hdf5"
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// writeRows makes a file of rows numbered from first on: x holds a row's number twice, label once.
func writeRows(t *testing.T, path string, first, rows int) {
	t.Helper()
	var x, label []float32
	for i := range rows {
		v := float32(first + i)
		x, label = append(x, v, v), append(label, v)
	}
	f, err := hdf5.Create(path)
	check(t, err)
	check(t, f.WriteFloats("x", []int{rows, 2}, x))
	check(t, f.WriteFloats("label", []int{rows}, label))
	check(t, f.Close())
}

// rowFiles makes files of 3, 2 and 4 rows, and their list.
func rowFiles(t *testing.T) *caffepb.LayerParameter {
	t.Helper()
	dir := t.TempDir()
	var list strings.Builder
	first := 0
	for i, n := range []int{3, 2, 4} {
		path := filepath.Join(dir, fmt.Sprintf("%d.h5", i))
		writeRows(t, path, first, n)
		first += n
		list.WriteString(path + " ")
	}
	source := filepath.Join(dir, "list.txt")
	check(t, os.WriteFile(source, []byte(list.String()), 0o644))
	return rowLayer(source)
}

func rowLayer(source string) *caffepb.LayerParameter {
	return &caffepb.LayerParameter{
		Top: []string{"x", "label"}, Hdf5DataParam: &caffepb.HDF5DataParameter{Source: proto.String(source), BatchSize: proto.Uint32(4)},
	}
}

// labels are the labels of the next batches; x must agree with them.
func nextLabels(t *testing.T, l *HDF5Loader, batches int) []float32 {
	t.Helper()
	shapes, err := l.Shapes()
	check(t, err)
	if want := []engine.Shape{{4, 2}, {4}}; !slices.EqualFunc(shapes, want, engine.Shape.Equal) {
		t.Fatalf("shapes %v, want %v", shapes, want)
	}
	var all []float32
	for range batches {
		x, label := make([]float32, 8), make([]float32, 4)
		check(t, l.Next(x, label))
		for i, v := range label {
			if x[2*i] != v || x[2*i+1] != v {
				t.Fatalf("row of label %g is %v", v, x[2*i:2*i+2])
			}
		}
		all = append(all, label...)
	}
	return all
}

// Rows come in the order of files and rows, over the ends of files and of the list.
func TestHDF5Order(t *testing.T) {
	l, err := OpenHDF5Data(rowFiles(t), Options{})
	check(t, err)
	if got, want := nextLabels(t, l, 3), []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	check(t, l.Close())
	if l.Next(make([]float32, 8), make([]float32, 4)) == nil {
		t.Error("a closed loader gives batches")
	}
}

// Shuffled rounds have each row once, in orders that differ; files stay together.
func TestHDF5Shuffle(t *testing.T) {
	p := rowFiles(t)
	p.Hdf5DataParam.Shuffle = proto.Bool(true)
	l, err := OpenHDF5Data(p, Options{})
	check(t, err)
	all := nextLabels(t, l, 9)
	rounds := map[string]bool{}
	for round := range slices.Chunk(all, 9) {
		rounds[fmt.Sprint(round)] = true
		sorted := slices.Sorted(slices.Values(round))
		if !slices.Equal(sorted, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8}) {
			t.Errorf("round %v", round)
		}
	}
	if len(rounds) < 3 {
		t.Errorf("rounds %v repeat", rounds)
	}
	again, err := OpenHDF5Data(p, Options{})
	check(t, err)
	if got := nextLabels(t, again, 9); !slices.Equal(got, all) {
		t.Errorf("another run has %v, want %v", got, all)
	}
}

// A restored loader goes on as one that was never stopped, at every place.
func TestHDF5Restore(t *testing.T) {
	p := rowFiles(t)
	p.Hdf5DataParam.Shuffle = proto.Bool(true)
	whole, err := OpenHDF5Data(p, Options{})
	check(t, err)
	all := nextLabels(t, whole, 12)
	l, err := OpenHDF5Data(p, Options{})
	check(t, err)
	for i := range 6 {
		state, err := l.State()
		check(t, err)
		if l, err = OpenHDF5Data(p, Options{}); err != nil {
			t.Fatal(err)
		}
		nextLabels(t, l, i) // somewhere else
		check(t, l.Restore(state))
		if got := nextLabels(t, l, 1); !slices.Equal(got, all[4*i:4*i+4]) {
			t.Errorf("batch %d is %v, want %v", i, got, all[4*i:4*i+4])
		}
	}
	for _, bad := range []string{"{", `{"version":9}`, `{"version":1,"files":2}`, `{"version":1,"files":3,"next":{"file":3}}`, `{"version":1,"files":3,"next":{"row":99}}`} {
		if l.Restore([]byte(bad)) == nil {
			t.Errorf("restored %s", bad)
		}
	}
}

// Two ranks that train share the rows; a test reads all.
func TestHDF5Ranks(t *testing.T) {
	p := rowFiles(t)
	for rank, want := range [][]float32{{0, 2, 4, 6, 8, 1, 3, 5}, {1, 3, 5, 7, 0, 2, 4, 6}} {
		l, err := OpenHDF5Data(p, Options{Phase: caffepb.Phase_TRAIN, Rank: rank, Ranks: 2})
		check(t, err)
		if got := nextLabels(t, l, 2); !slices.Equal(got, want) {
			t.Errorf("rank %d has %v, want %v", rank, got, want)
		}
	}
	l, err := OpenHDF5Data(p, Options{Phase: caffepb.Phase_TEST, Rank: 1, Ranks: 2})
	check(t, err)
	if got := nextLabels(t, l, 1); !slices.Equal(got, []float32{0, 1, 2, 3}) {
		t.Errorf("a test has %v", got)
	}
}

func TestHDF5Errors(t *testing.T) {
	dir := t.TempDir()
	f, err := hdf5.Create(filepath.Join(dir, "bad.h5"))
	check(t, err)
	check(t, f.WriteFloats("x", []int{2, 2}, make([]float32, 4)))
	check(t, f.WriteFloats("label", []int{3}, make([]float32, 3)))
	check(t, f.WriteFloats("scalar", nil, make([]float32, 1)))
	check(t, f.WriteFloats("none", []int{0, 2}, nil))
	check(t, f.Close())
	writeRows(t, filepath.Join(dir, "good.h5"), 0, 3)
	wide, err := hdf5.Create(filepath.Join(dir, "wide.h5"))
	check(t, err)
	check(t, wide.WriteFloats("x", []int{2, 3}, make([]float32, 6)))
	check(t, wide.Close())
	for _, c := range []struct {
		list string
		tops []string
		want string
	}{
		{" \n", []string{"x"}, "Must have at least 1 HDF5 filename listed in"},
		{"missing.h5", []string{"x"}, "missing.h5"},
		{"bad.h5", []string{"y"}, "cannot read y"},
		{"bad.h5", []string{"x", "label"}, "dataset label has 3 rows, dataset x has 2"},
		{"bad.h5", []string{"scalar"}, "dataset scalar is a scalar"},
		{"bad.h5", []string{"none"}, "dataset none has no rows"},
		{"good.h5 wide.h5", []string{"x"}, "a row of dataset x has shape 3, in the first file it has 2"},
	} {
		source := filepath.Join(dir, "list.txt")
		var list strings.Builder
		for _, name := range strings.Fields(c.list) {
			list.WriteString(filepath.Join(dir, name) + "\n")
		}
		check(t, os.WriteFile(source, []byte(list.String()), 0o644))
		l, err := OpenHDF5Data(&caffepb.LayerParameter{
			Top: c.tops, Hdf5DataParam: &caffepb.HDF5DataParameter{Source: &source, BatchSize: proto.Uint32(4)},
		}, Options{})
		if err == nil {
			err = l.Next(make([]float32, 8))
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q of %s: got %v, want %s", c.tops, c.list, err, c.want)
		}
	}
}
