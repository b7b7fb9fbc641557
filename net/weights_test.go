package net_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pb "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// golden builds the golden solvers' train net with data of the right shapes.
func golden(t *testing.T, name string, o net.Options) *net.Net {
	t.Helper()
	f, err := proto.ReadNet(filepath.Join("..", "testdata", "golden", "solvers", name))
	must(t, err)
	if o.State == nil {
		o.State = state(caffepb.Phase_TRAIN)
	}
	o.Open = func(*spec.Layer, func() uint32) (net.Source, error) {
		return &counting{shapes: []engine.Shape{{4, 3, 12, 12}, {4}}}, nil
	}
	if o.Device == nil {
		o.Device = device(t)
	}
	n, err := net.New(f, o)
	must(t, err)
	t.Cleanup(func() { must(t, n.Close()) })
	return n
}

// TestGoldenCaffemodel reads a snapshot of real Caffe and gives the same message
// back, layer by layer, blob by blob; the bytes written read as the same again.
func TestGoldenCaffemodel(t *testing.T) {
	for _, c := range []struct{ net, snapshot string }{
		{"net.prototxt", "sgd_fixed/snap_iter_20.caffemodel"},
		{"net_bn.prototxt", "sgd_bn/snap_iter_20.caffemodel"},
		{"net_frozen.prototxt", "sgd_frozen/snap_iter_20.caffemodel"},
	} {
		t.Run(c.net, func(t *testing.T) {
			path := filepath.Join("..", "testdata", "golden", "solvers", c.snapshot)
			want := &caffepb.NetParameter{}
			must(t, proto.ReadBinary(path, want))
			n := golden(t, c.net, net.Options{Random: rng.New(1)})
			copied, err := n.CopyTrained(want, path)
			must(t, err)
			if len(copied.Ignored)+len(copied.Initial) != 0 || len(copied.Loaded) < 3 {
				t.Errorf("copied %+v", copied)
			}
			got, err := n.ToProto(false)
			must(t, err)
			sameLayers(t, got, want)

			out := filepath.Join(t.TempDir(), "w.caffemodel")
			file, err := os.Create(out)
			must(t, err)
			must(t, proto.WriteBinary(file, got))
			must(t, file.Close())
			again := &caffepb.NetParameter{}
			must(t, proto.ReadBinary(out, again))
			sameLayers(t, again, want)
		})
	}
}

func sameLayers(t *testing.T, got, want *caffepb.NetParameter) {
	t.Helper()
	if got.GetName() != want.GetName() || len(got.Layer) != len(want.Layer) {
		t.Fatalf("net %q of %d layers, want %q of %d", got.GetName(), len(got.Layer), want.GetName(), len(want.Layer))
	}
	for i := range want.Layer {
		if !pb.Equal(got.Layer[i], want.Layer[i]) {
			g, w := pb.CloneOf(got.Layer[i]), pb.CloneOf(want.Layer[i])
			equalBlobs := len(g.Blobs) == len(w.Blobs)
			for j := range w.Blobs {
				equalBlobs = equalBlobs && pb.Equal(g.Blobs[j], w.Blobs[j])
			}
			g.Blobs, w.Blobs = nil, nil
			t.Errorf("layer %d differs (blobs equal: %v): got\n%swant\n%s", i, equalBlobs, proto.Text(g), proto.Text(w))
		}
	}
}

const two = `
name: "two"
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" inner_product_param { num_output: 4 } }
layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" inner_product_param { num_output: 2 bias_term: false } }
`

func ramp(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i + 1)
	}
	return out
}

func blobOf(shape ...int) *caffepb.BlobProto {
	return proto.NewBlob(shape, ramp(engine.Shape(shape).Count()))
}

// legacyBlob has the four axes of files from before 2015.
func legacyBlob(n, c, h, w int32) *caffepb.BlobProto {
	return &caffepb.BlobProto{Num: &n, Channels: &c, Height: &h, Width: &w, Data: ramp(int(n * c * h * w))}
}

func trained(layers ...*caffepb.LayerParameter) *caffepb.NetParameter {
	return &caffepb.NetParameter{Layer: layers}
}

func layer(name string, blobs ...*caffepb.BlobProto) *caffepb.LayerParameter {
	return &caffepb.LayerParameter{Name: &name, Blobs: blobs}
}

func TestCopyTrained(t *testing.T) {
	log := &recorder{}
	n := open(t, two, net.Options{Log: log})
	double := &caffepb.BlobProto{Shape: &caffepb.BlobShape{Dim: []int64{4}}, DoubleData: []float64{9, 8, 7, 6}}
	got, err := n.CopyTrained(trained(layer("fc8", blobOf(7)), layer("in"), layer("a", legacyBlob(1, 1, 4, 3), double)), "w.caffemodel")
	must(t, err)
	if !slices.Equal(got.Loaded, []string{"a"}) || !slices.Equal(got.Ignored, []string{"fc8"}) || !slices.Equal(got.Initial, []string{"b"}) {
		t.Errorf("copied %+v", got)
	}
	near(t, "a[0]", param(t, n, 0), ramp(12))
	near(t, "a[1]", param(t, n, 1), []float32{9, 8, 7, 6})
	if !slices.Contains(log.lines, "net.cpp:746] Ignoring source layer fc8") {
		t.Errorf("log lacks the ignored layer: %v", log.lines)
	}
}

// Nothing is copied where anything does not fit, and all that does not fit is
// told.
func TestCopyTrainedErrors(t *testing.T) {
	cases := []struct {
		name string
		file *caffepb.NetParameter
		want []string
	}{
		{"shape", trained(layer("a", blobOf(4, 3), blobOf(4)), layer("b", blobOf(3, 4))), []string{
			`net.prototxt:5: layer "b" (InnerProduct): w.caffemodel: Cannot copy param 0 weights from layer 'b'; shape mismatch.  Source param shape is 3 4 (12); target param shape is 2 4 (8). To learn this layer's parameters from scratch rather than copying from a saved net, rename the layer.`}},
		{"both", trained(layer("a", blobOf(4, 3)), layer("b", blobOf(2, 4), blobOf(2))), []string{
			"Incompatible number of blobs for layer a: the file has 1, the net 2", "Incompatible number of blobs for layer b: the file has 2, the net 1"}},
		{"legacy", trained(layer("b", legacyBlob(2, 4, 1, 1))), []string{"Source param shape is 2 4 1 1 (8)"}},
		{"count", trained(layer("b", &caffepb.BlobProto{Shape: &caffepb.BlobShape{Dim: []int64{2, 4}}, Data: ramp(3)})), []string{"blob 0", "3 values"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := open(t, two, net.Options{})
			_, err := n.CopyTrained(c.file, "w.caffemodel")
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q lacks %q", err, w)
				}
			}
			near(t, "a[0]", param(t, n, 0), make([]float32, 12))
		})
	}
}

// A blob that two layers share may stand in the file once, as HDF5 has it; both
// layers show it in what is written.
func TestSharedBlobInFile(t *testing.T) {
	const text = `
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 4 } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" param { name: "w" } inner_product_param { num_output: 4 bias_term: false } }
layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" param { name: "w" } inner_product_param { num_output: 4 bias_term: false } }
`
	n := open(t, text, net.Options{})
	got, err := n.CopyTrained(trained(layer("a", blobOf(4, 4))), "w.h5")
	must(t, err)
	if len(got.Initial) != 0 {
		t.Errorf("layers with initial values: %v", got.Initial)
	}
	m, err := n.ToProto(false)
	must(t, err)
	near(t, "b", m.Layer[2].Blobs[0].GetData(), ramp(16))
	if _, err := n.CopyTrained(trained(layer("b")), "w.h5"); err != nil {
		t.Errorf("a layer that only shares: %v", err)
	}
}

// A net with Options.Share reads the other's params, also after they changed.
func TestShare(t *testing.T) {
	dev := device(t)
	train := open(t, two, net.Options{Device: dev, Backward: true})
	log := &recorder{}
	test := open(t, strings.Replace(two, `name: "in"`, `name: "other"`, 1), net.Options{Device: dev, Share: train, Log: log})
	must(t, train.WriteParam(0, ramp(12)))
	must(t, train.WriteParam(2, ramp(8)))
	near(t, "test's param", param(t, test, 0), ramp(12))
	must(t, test.SetInput("x", ramp(6)))
	must(t, train.SetInput("x", ramp(6)))
	must(t, test.Forward())
	must(t, train.Forward())
	near(t, "b", read(t, test, "b"), read(t, train, "b"))
	if !slices.Equal(test.Ignored(), []string{"in"}) {
		t.Errorf("ignored %v, want in", test.Ignored())
	}
	_, err := net.New(parse(t, strings.Replace(two, "num_output: 2", "num_output: 3", 1)), net.Options{Device: dev, Share: train})
	if err == nil || !strings.Contains(err.Error(), "Cannot share param 0 weights from layer 'b'; shape mismatch.  Source param shape is 2 4 (8); target param shape is 3 4 (12)") {
		t.Errorf("sharing another shape: %v", err)
	}
}
