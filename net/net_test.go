package net_test

import (
	"math"
	"os"
	"path/filepath"

	"strconv"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	_ "github.com/gocaffe/gocaffe/engine/ref"
	"github.com/gocaffe/gocaffe/internal/npz"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func device(t *testing.T) engine.Device {
	t.Helper()
	d, err := engine.Open("ref", engine.Config{})
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	return d
}

func state(phase caffepb.Phase) *caffepb.NetState { return &caffepb.NetState{Phase: phase.Enum()} }

func parse(t *testing.T, text string) *proto.NetFile {
	t.Helper()
	f, err := proto.ParseNet("net.prototxt", []byte(text))
	must(t, err)
	return f
}

// open builds a net on the reference engine and closes it with the test.
func open(t *testing.T, text string, o net.Options) *net.Net {
	t.Helper()
	if o.Device == nil {
		o.Device = device(t)
	}
	n, err := net.New(parse(t, text), o)
	must(t, err)
	t.Cleanup(func() { must(t, n.Close()) })
	return n
}

func read(t *testing.T, n *net.Net, blob string) []float32 {
	t.Helper()
	s, err := n.Shape(blob)
	must(t, err)
	dst := make([]float32, s.Count())
	must(t, n.Read(blob, dst))
	return dst
}

func param(t *testing.T, n *net.Net, i int) []float32 {
	t.Helper()
	dst := make([]float32, n.Params()[i].Shape.Count())
	must(t, n.ReadParam(i, dst))
	return dst
}

// TestGoldenRandom compares with what real Caffe drew for a seed: params at
// setup, data and masks at the first forward pass.
func TestGoldenRandom(t *testing.T) {
	paths, err := filepath.Glob("../testdata/golden/random/*.npz")
	must(t, err)
	if len(paths) < 24 {
		t.Fatalf("%d golden files, want 24", len(paths))
	}
	for _, path := range paths {
		base := strings.TrimSuffix(filepath.Base(path), ".npz")
		t.Run(base, func(t *testing.T) { goldenRandom(t, path) })
	}
}

func goldenRandom(t *testing.T, path string) {
	want, err := npz.Read(path)
	must(t, err)
	base := strings.TrimSuffix(path, ".npz")
	cut := strings.LastIndexByte(base, '_')
	// The seed is in the name: the member's float32 holds 24 bits of it.
	seed, err := strconv.ParseUint(base[cut+1:], 10, 32)
	must(t, err)
	text, err := os.ReadFile(base[:cut] + ".prototxt")
	must(t, err)
	n := open(t, string(text), net.Options{State: state(caffepb.Phase_TRAIN), Random: rng.New(uint32(seed)), KeepAll: true})
	must(t, n.Forward())
	checked := 1 // "seed"
	for i, p := range n.Params() {
		name := "param/" + p.Layer + "/" + strconv.Itoa(p.Index)
		if a, ok := want[name]; ok {
			checked++
			near(t, name, param(t, n, i), a.Data)
		}
	}
	for name, a := range want {
		if blob, ok := strings.CutPrefix(name, "out/"); ok {
			checked++
			near(t, name, read(t, n, blob), a.Data)
		}
	}
	if checked != len(want) {
		t.Errorf("compared %d of %d members", checked, len(want))
	}
}

func near(t *testing.T, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s has %d elements, want %d", name, len(got), len(want))
		return
	}
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-6*math.Max(1, math.Abs(float64(want[i])))) {
			t.Errorf("%s[%d] is %g, want %g", name, i, got[i], want[i])
			return
		}
	}
}

// A blob that another layer owns is drawn and dropped, so the layers behind it
// get the numbers that they get in Caffe.
func TestSharedParamIsDrawn(t *testing.T) {
	const text = `
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 4 } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" param { name: "w" } inner_product_param { num_output: 4 bias_term: false weight_filler { type: "uniform" } } }
layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" param { name: "w" } inner_product_param { num_output: 4 bias_term: false weight_filler { type: "uniform" } } }
layer { name: "c" type: "InnerProduct" bottom: "b" top: "c" inner_product_param { num_output: 4 bias_term: false weight_filler { type: "uniform" } } }
`
	n := open(t, text, net.Options{Random: rng.New(3)})
	if len(n.Params()) != 2 {
		t.Fatalf("%d params, want 2", len(n.Params()))
	}
	r := rng.New(3)
	want := make([]float32, 48)
	r.Uniform(want, 0, 1)
	near(t, "a", param(t, n, 0), want[:16])
	near(t, "c", param(t, n, 1), want[32:])
}

// The same seed gives the same net, and the numbers of the last draw are those
// of the stream's next user.
func TestConstantFillersDrawNothing(t *testing.T) {
	r := rng.New(5)
	open(t, `
layer { name: "in" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 4 } data_filler { type: "gaussian" } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" inner_product_param { num_output: 4 weight_filler { value: 2 } } }
`, net.Options{Random: r})
	if got, want := r.Uint32(), rng.New(5).Uint32(); got != want {
		t.Error("building a net of constants moved the random stream")
	}
}
