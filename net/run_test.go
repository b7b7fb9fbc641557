package net_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/rng"
)

const regression = `
name: "regression"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "y" type: "Input" top: "y" input_param { shape { dim: 2 dim: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 1 weight_filler { type: "uniform" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }
`

func setXY(t *testing.T, n *net.Net) {
	t.Helper()
	must(t, n.SetInput("x", []float32{1, 2, 3, -1, 0, 2}))
	must(t, n.SetInput("y", []float32{2, -3}))
}

func loss(t *testing.T, n *net.Net) float32 {
	t.Helper()
	l, err := n.Loss()
	must(t, err)
	return l
}

// Gradients are those that differences of the loss give.
func TestReadDiff(t *testing.T) {
	n := open(t, regression, net.Options{Backward: true, Random: rng.New(1)})
	setXY(t, n)
	must(t, n.ForwardBackward())
	diff := make([]float32, 3)
	must(t, n.ReadDiff(0, diff))
	w := param(t, n, 0)
	for i := range w {
		const step = 1e-2
		var at [2]float32
		for k, d := range []float32{step, -step} {
			moved := slices.Clone(w)
			moved[i] += d
			must(t, n.WriteParam(0, moved))
			must(t, n.Forward())
			at[k] = loss(t, n)
		}
		if numeric := (at[0] - at[1]) / (2 * step); math.Abs(float64(numeric-diff[i])) > 1e-2 {
			t.Errorf("gradient %d is %g, differences give %g", i, diff[i], numeric)
		}
	}
	out := n.Outputs()
	if len(out) != 1 || out[0].Name != "loss" || out[0].LossWeight != 1 || len(out[0].Shape) != 0 {
		t.Errorf("outputs %+v", out)
	}
}

// The update changes params as SGD with momentum does, keeps the step for
// snapshots, and adds gradients up over iter_size.
func TestApplyUpdate(t *testing.T) {
	o := graph.UpdateOptions{Rule: engine.SGD, Momentum: 0.5, Accumulate: true, KeepStep: true, Clip: true}
	n := open(t, regression, net.Options{Update: &o, Random: rng.New(1)})
	plain := open(t, regression, net.Options{Backward: true, Random: rng.New(1)})
	setXY(t, n)
	setXY(t, plain)
	must(t, plain.ForwardBackward())
	g, before := make([]float32, 3), param(t, n, 0)
	must(t, plain.ReadDiff(0, g))
	must(t, n.SetHyper([]float32{0.1, 0.5, 1, 1})) // rate, 1/iter_size, no correction, no clipping
	for range 2 {
		must(t, n.ForwardBackward())
	}
	sum, err := n.SumSq()
	must(t, err)
	var bias [1]float32
	must(t, plain.ReadDiff(1, bias[:]))
	want := 4 * (g[0]*g[0] + g[1]*g[1] + g[2]*g[2] + bias[0]*bias[0])
	if math.Abs(float64(sum-want)) > 1e-3*float64(want) {
		t.Errorf("Σ g² is %g, want %g", sum, want)
	}
	must(t, n.ApplyUpdate())
	step, history, after := make([]float32, 3), make([]float32, 3), param(t, n, 0)
	must(t, n.ReadDiff(0, step))
	must(t, n.ReadHistory(0, history))
	for i := range g {
		if math.Abs(float64(before[i]-after[i]-0.1*g[i])) > 1e-5 || math.Abs(float64(step[i]-0.1*g[i])) > 1e-5 || step[i] != history[i] {
			t.Errorf("element %d: moved %g, step %g, history %g, want %g", i, before[i]-after[i], step[i], history[i], 0.1*g[i])
		}
	}
	// Cleared gradients do not add to the next ones.
	must(t, n.ClearDiffs())
	must(t, n.WriteHistory(0, make([]float32, 3)))
	must(t, n.WriteParam(0, before))
	must(t, n.WriteParam(1, []float32{0}))
	must(t, n.ForwardBackward())
	must(t, n.ApplyUpdate())
	for i, x := range param(t, n, 0) {
		if math.Abs(float64(before[i]-x-0.05*g[i])) > 1e-5 {
			t.Errorf("element %d moved by %g after ClearDiffs, want %g", i, before[i]-x, 0.05*g[i])
		}
	}
	if n.NumHistory() != 2 {
		t.Errorf("%d histories, want 2", n.NumHistory())
	}
}

// New input shapes keep the params; those seen before are not compiled again.
func TestSetInputShape(t *testing.T) {
	n := open(t, regression, net.Options{Random: rng.New(1)})
	setXY(t, n)
	must(t, n.Forward())
	first, w, old := loss(t, n), param(t, n, 0), n.Plan()
	grow := map[string]engine.Shape{"x": {4, 3}, "y": {4, 1}}
	must(t, n.SetInputShapes(grow))
	must(t, n.SetInput("x", []float32{1, 2, 3, -1, 0, 2, 1, 2, 3, -1, 0, 2}))
	must(t, n.SetInput("y", []float32{2, -3, 2, -3}))
	must(t, n.Forward())
	near(t, "weights", param(t, n, 0), w)
	near(t, "loss", []float32{loss(t, n)}, []float32{first})
	must(t, n.SetInputShapes(map[string]engine.Shape{"x": {2, 3}, "y": {2, 1}}))
	if n.Plan() != old {
		t.Error("known shapes were compiled again")
	}
	must(t, n.Forward())
	near(t, "loss", []float32{loss(t, n)}, []float32{first})

	err := n.SetInputShape("x", engine.Shape{3, 3})
	if err == nil || !strings.Contains(err.Error(), `layer "loss"`) {
		t.Errorf("shapes that do not fit: %v", err)
	}
	must(t, n.Forward())
	if err := n.SetInput("x", ramp(9)); err == nil {
		t.Error("9 numbers fit 2×3")
	}
	if err := n.SetInput("ip", ramp(2)); err == nil || !strings.Contains(err.Error(), "ip is no input (inputs: x, y)") {
		t.Errorf("setting no input: %v", err)
	}
	for i := range 20 {
		rows := 2 + i
		must(t, n.SetInputShapes(map[string]engine.Shape{"x": {rows, 3}, "y": {rows, 1}}))
	}
	must(t, n.Forward())
}

// An input whose shape stays keeps its data when another one's changes.
func TestReshapeKeepsOtherInputs(t *testing.T) {
	n := open(t, `
layer { name: "a" type: "Input" top: "a" input_param { shape { dim: 3 } } }
layer { name: "b" type: "Input" top: "b" input_param { shape { dim: 2 } } }
layer { name: "p" type: "Power" bottom: "a" top: "p" power_param { scale: 2 } }
`, net.Options{})
	must(t, n.SetInput("a", ramp(3)))
	must(t, n.SetInputShape("b", engine.Shape{5}))
	must(t, n.Forward())
	near(t, "p", read(t, n, "p"), []float32{2, 4, 6})
	near(t, "b", read(t, n, "b"), make([]float32, 5))
}

// growing is a source whose batches get longer.
type growing struct{ counting }

func (s *growing) Shapes() ([]engine.Shape, error) {
	return []engine.Shape{{1 + s.next/2, 2}, {1 + s.next/2}}, nil
}

const reading = `
layer { name: "data" type: "Data" top: "data" top: "label" data_param { source: "db" batch_size: 1 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 weight_filler { type: "uniform" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" }
`

// A net follows its data's shapes, and goes back to a saved position.
func TestData(t *testing.T) {
	src := &growing{}
	n := open(t, reading, net.Options{Random: rng.New(1), Keep: []string{"data"}, Open: func(l *spec.Layer, draw func() uint32) (net.Source, error) {
		return src, nil
	}})
	w := param(t, n, 0)
	var saved []byte
	for i := range 3 {
		if i == 1 {
			var err error
			saved, err = n.DataState()
			must(t, err)
		}
		must(t, n.Forward())
		got := read(t, n, "data")
		if len(got) != 2*(1+i/2) || got[0] != float32(i) {
			t.Fatalf("batch %d is %v", i, got)
		}
	}
	near(t, "weights", param(t, n, 0), w)
	if d := n.DataWait(); d != 3*time.Millisecond {
		t.Errorf("waited %v", d)
	}
	must(t, n.RestoreData(saved))
	must(t, n.Forward())
	if got := read(t, n, "data"); !slices.Equal(got, []float32{1, 1}) {
		t.Errorf("after going back the batch is %v", got)
	}
	if err := n.RestoreData([]byte(`{}`)); err == nil || !strings.Contains(err.Error(), `layer "data"`) {
		t.Errorf("a state that lacks the layer: %v", err)
	}
	if err := n.RestoreData([]byte(`nonsense`)); err == nil {
		t.Error("nonsense was accepted as a state")
	}
}

// Numbers that a data layer takes come in the layer's turn.
func TestOpenDrawsInOrder(t *testing.T) {
	const text = `
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" inner_product_param { num_output: 1 bias_term: false weight_filler { type: "uniform" } } }
layer { name: "data" type: "Data" top: "data" data_param { source: "db" batch_size: 1 } }
layer { name: "b" type: "InnerProduct" bottom: "data" top: "b" inner_product_param { num_output: 1 bias_term: false weight_filler { type: "uniform" } } }
`
	var drew uint32
	n := open(t, text, net.Options{Random: rng.New(9), Open: func(l *spec.Layer, draw func() uint32) (net.Source, error) {
		drew = draw()
		return &counting{shapes: []engine.Shape{{1, 2}, {1}}}, nil
	}})
	r := rng.New(9)
	a, b := make([]float32, 2), make([]float32, 2)
	r.Uniform(a, 0, 1)
	want := r.Uint32()
	r.Uniform(b, 0, 1)
	near(t, "a", param(t, n, 0), a)
	near(t, "b", param(t, n, 1), b)
	if drew != want {
		t.Errorf("the data layer drew %d, want %d", drew, want)
	}
}

// DummyData's constants are filled once, the others each time; the mask of a
// dropout changes with each run.
func TestRefill(t *testing.T) {
	n := open(t, `
layer { name: "d" type: "DummyData" top: "c" top: "u" dummy_data_param { shape { dim: 4 } data_filler { value: 3 } data_filler { type: "uniform" } } }
`, net.Options{Random: rng.New(4)})
	r := rng.New(4)
	want := make([]float32, 4)
	for range 3 {
		must(t, n.Forward())
		r.Uniform(want, 0, 1)
		near(t, "c", read(t, n, "c"), []float32{3, 3, 3, 3})
		near(t, "u", read(t, n, "u"), want)
	}
}

// KeepAll keeps what an in-place layer would overwrite.
func TestKeepAll(t *testing.T) {
	n := open(t, `
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 } } }
layer { name: "p" type: "Power" bottom: "x" top: "p" power_param { scale: 2 } }
layer { name: "r" type: "ReLU" bottom: "p" top: "p" loss_weight: 3 }
`, net.Options{KeepAll: true, Backward: true, ForceBackward: true})
	must(t, n.SetInput("x", []float32{1, -1}))
	must(t, n.ForwardBackward())
	before, grad := make([]float32, 2), make([]float32, 2)
	must(t, n.Fetch(n.Graph().Tops[1][0], before))
	near(t, "before", before, []float32{2, -2})
	near(t, "p", read(t, n, "p"), []float32{2, 0})
	must(t, n.Fetch(n.Graph().Grads[n.Graph().Tops[1][0]], grad))
	near(t, "gradient before", grad, []float32{3, 0})
	must(t, n.ReadGrad("x", grad))
	near(t, "gradient of x", grad, []float32{6, 0})
}

// With SeedTops the caller gives an output's gradient.
func TestSetTopGrad(t *testing.T) {
	n := open(t, `
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 1 bias_term: false weight_filler { value: 2 } } }
`, net.Options{Backward: true, SeedTops: true, ForceBackward: true, KeepAll: true})
	must(t, n.SetInput("x", ramp(6)))
	must(t, n.SetTopGrad("ip", []float32{1, 10}))
	must(t, n.ForwardBackward())
	diff, dx := make([]float32, 3), make([]float32, 6)
	must(t, n.ReadDiff(0, diff))
	near(t, "dW", diff, []float32{41, 52, 63})
	must(t, n.ReadGrad("x", dx))
	near(t, "dx", dx, []float32{2, 2, 2, 20, 20, 20})
	if err := n.SetTopGrad("x", ramp(6)); err == nil {
		t.Error("an input took a gradient")
	}
}

// Errors of the prototxt come before data is opened, all together.
func TestNewErrors(t *testing.T) {
	_, err := net.New(parse(t, `layer { name: "data" type: "Data" top: "data" data_param { source: "db" batch_size: 1 } }
layer { name: "a" type: "Relu" bottom: "data" top: "a" }
layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" }`), net.Options{
		Device: device(t),
		Open: func(*spec.Layer, func() uint32) (net.Source, error) {
			t.Error("data was opened")
			return nil, nil
		},
	})
	for _, want := range []string{`net.prototxt:2: layer "a" (Relu): Unknown layer type: Relu`, `net.prototxt:3: layer "b" (InnerProduct)`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	n := open(t, two, net.Options{})
	if err := n.Read("a", ramp(8)); err == nil {
		t.Error("a blob that is not kept was read")
	}
	if _, err := n.Shape("nosuch"); err == nil || !strings.Contains(err.Error(), "Unknown blob name nosuch (known: x, a, b)") {
		t.Errorf("unknown blob: %v", err)
	}
	if err := n.ReadDiff(0, ramp(12)); err == nil {
		t.Error("a net without backward gave a gradient")
	}
}

// Two data layers, and two Input layers, may have one name: each keeps its own
// shapes and its own place.
func TestLayersOfOneName(t *testing.T) {
	sources := map[string]*counting{}
	n := open(t, `
layer { name: "data" type: "Data" top: "a" data_param { source: "db" batch_size: 1 } }
layer { name: "data" type: "Data" top: "b" data_param { source: "db" batch_size: 1 } }
layer { name: "in" type: "Input" top: "c" input_param { shape { dim: 3 } } }
layer { name: "in" type: "Input" top: "d" input_param { shape { dim: 4 } } }
`, net.Options{Keep: []string{"a", "b"}, Open: func(l *spec.Layer, _ func() uint32) (net.Source, error) {
		s := &counting{shapes: []engine.Shape{{1}}}
		if l.GetTop()[0] == "b" {
			s.shapes, s.next = []engine.Shape{{2}}, 10
		}
		sources[l.GetTop()[0]] = s
		return s, nil
	}})
	must(t, n.SetInputShape("d", engine.Shape{7}))
	if c, d := read(t, n, "c"), read(t, n, "d"); len(c) != 3 || len(d) != 7 {
		t.Errorf("inputs of %d and %d, want 3 and 7", len(c), len(d))
	}
	saved, err := n.DataState()
	must(t, err)
	must(t, n.Forward())
	near(t, "a", read(t, n, "a"), []float32{0})
	near(t, "b", read(t, n, "b"), []float32{10, 10})
	must(t, n.RestoreData(saved))
	if a, b := sources["a"].next, sources["b"].next; a != 0 || b != 10 {
		t.Errorf("sources are at %d and %d, want 0 and 10", a, b)
	}
}
