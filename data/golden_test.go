package data_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/internal/npz"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"

	_ "github.com/gocaffe/gocaffe/data/leveldb"
	_ "github.com/gocaffe/gocaffe/data/lmdb"
)

// goldenFolder is the folder of real Caffe's batches, of the form of testdata/golden/data; it may be read-only.
func goldenFolder(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("GOCAFFE_GOLDEN_DATA")
	if dir == "" {
		dir = filepath.Join("..", "testdata", "golden", "data")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// open makes the Loader of a Data or ImageData layer.
func open(p *caffepb.LayerParameter, o data.Options) (*data.Loader, error) {
	switch p.GetType() {
	case "Data":
		return data.OpenData(p, o)
	case "ImageData":
		return data.OpenImageData(p, o)
	case "DenseImageData":
		return data.OpenDenseImageData(p, o)
	}
	return nil, fmt.Errorf("no data layer: %s", p.GetType())
}

// layer reads the first layer of a prototxt.
func layer(t testing.TB, text string) *caffepb.LayerParameter {
	t.Helper()
	var net caffepb.NetParameter
	if err := proto.UnmarshalText(t.Name(), []byte(text), &net); err != nil {
		t.Fatal(err)
	}
	return net.Layer[0]
}

// TestGoldenData compares the first batches of each case with real Caffe's, bit for bit.
func TestGoldenData(t *testing.T) {
	dir := goldenFolder(t)
	cases, err := filepath.Glob(filepath.Join(dir, "layers", "*.prototxt"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in %s", dir)
	}
	for _, path := range cases {
		name := strings.TrimSuffix(filepath.Base(path), ".prototxt")
		t.Run(name, func(t *testing.T) {
			t.Chdir(dir)
			checkGolden(t, path)
		})
	}
}

func checkGolden(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := npz.Read(strings.TrimSuffix(path, ".prototxt") + ".npz")
	if err != nil {
		t.Fatal(err)
	}
	p := layer(t, string(text))
	l, err := open(p, data.Options{Phase: caffepb.Phase_TEST})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	batches := 0
	for ; ; batches++ {
		if _, more := want[fmt.Sprintf("%s/%d", p.Top[0], batches)]; !more {
			break
		}
		got := nextBatch(t, l)
		for i, top := range p.Top {
			compare(t, fmt.Sprintf("%s/%d", top, batches), got[i], want[fmt.Sprintf("%s/%d", top, batches)])
		}
	}
	if batches == 0 {
		t.Fatalf("%s holds no batch of %s", path, p.Top[0])
	}
}

// nextBatch reads the next batch into new arrays.
func nextBatch(t testing.TB, l *data.Loader) []npz.Array {
	t.Helper()
	shapes, err := l.Shapes()
	if err != nil {
		t.Fatal(err)
	}
	var tops []npz.Array
	var dst [][]float32
	for _, s := range shapes {
		tops = append(tops, npz.Array{Shape: s, Data: make([]float32, s.Count())})
		dst = append(dst, tops[len(tops)-1].Data)
	}
	if err := l.Next(dst...); err != nil {
		t.Fatal(err)
	}
	return tops
}

func compare(t *testing.T, name string, got, want npz.Array) {
	t.Helper()
	if !slices.Equal(got.Shape, want.Shape) {
		t.Fatalf("%s: shape %v, Caffe's is %v", name, got.Shape, want.Shape)
	}
	differ, first := 0, -1
	for i, v := range want.Data {
		if got.Data[i] != v {
			if differ++; first < 0 {
				first = i
			}
		}
	}
	if differ > 0 {
		t.Errorf("%s: %d of %d values differ; the first is %d: %v, Caffe has %v", name, differ, len(want.Data), first, got.Data[first], want.Data[first])
	}
}
