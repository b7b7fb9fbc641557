package data_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/npz"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"

	_ "github.com/gocaffe/gocaffe/data/leveldb"
	_ "github.com/gocaffe/gocaffe/data/lmdb"
	_ "github.com/gocaffe/gocaffe/engine/ref"
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

// TestGoldenData compares the first batches of each case with real Caffe's, bit for bit, those that a device makes of bytes too.
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
			checkGolden(t, path, false)
			checkGolden(t, path, true)
		})
	}
}

func checkGolden(t *testing.T, path string, bytes bool) {
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
	if bytes {
		l.TakePixels()
	}
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

// nextBatch reads the next batch into new arrays. What is bytes goes through the reference of what devices do.
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
	format, err := l.Pixels()
	switch {
	case err != nil:
	case format != nil:
		err = l.NextPixels(func(bytes []byte, windows, labels []float32) error {
			if len(dst) > 1 {
				copy(dst[1], labels)
			}
			return transformed(dst[0], shapes[0], bytes, windows, format)
		})
	default:
		err = l.Next(dst...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tops
}

// transformed writes what engine ref makes of the bytes of a batch.
func transformed(dst []float32, shape engine.Shape, bytes []byte, windows []float32, format *engine.PixelFormat) error {
	dev, err := engine.Open("ref", engine.Config{})
	if err != nil {
		return err
	}
	stream, err := dev.NewStream()
	if err != nil {
		return err
	}
	in := []engine.Desc{{DType: engine.U8, Shape: shape}, engine.Dense(shape[0], engine.WindowSize), engine.Dense(format.MeanShape...)}
	k, err := dev.Prepare(format.Op, in, []engine.Desc{engine.Dense(shape...)})
	if err != nil {
		return err
	}
	floats := func(v []float32) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v)) }
	args := &engine.Args{}
	for i, content := range [][]byte{bytes, floats(windows), floats(format.Mean), floats(dst)} {
		if i < len(in) && int64(len(content)) != in[i].Bytes() {
			return fmt.Errorf("input %d has %d bytes, want %d", i, len(content), in[i].Bytes())
		}
		b, err := dev.Alloc(int64(len(content)))
		if err != nil {
			return err
		}
		stream.CopyIn(b, content)
		args.In = append(args.In, b)
	}
	args.In, args.Out = args.In[:3:3], args.In[3:]
	stream.Launch(k, args)
	stream.CopyOut(floats(dst), args.Out[0])
	return errors.Join(stream.Sync(), stream.Close(), dev.Close())
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
