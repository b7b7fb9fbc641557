package net_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/rng"
)

// fitted is a regression on n items x and targets y, of which a Filter takes some.
func fitted(n int, filter bool) string {
	x, y, layer := "x", "y", ""
	if filter {
		x, y = "fx", "fy"
		layer = fmt.Sprintf(`
layer { name: "sel" type: "Input" top: "sel" input_param { shape { dim: %d } } }
layer { name: "filter" type: "Filter" bottom: "x" bottom: "y" bottom: "sel" top: "fx" top: "fy" }`, n)
	}
	return fmt.Sprintf(`
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: %d dim: 2 } } }
layer { name: "y" type: "Input" top: "y" input_param { shape { dim: %d dim: 1 } } } %s
layer { name: "ip" type: "InnerProduct" bottom: "%s" top: "ip" inner_product_param { num_output: 1 weight_filler { type: "constant" value: 0.5 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "%s" top: "loss" }`, n, n, layer, x, y)
}

// A net behind a Filter computes what it computes of the items alone, whatever
// number of them there is: loss, gradients, and shapes.
func TestFilter(t *testing.T) {
	x, y := []float32{1, 2, 3, 4, 5, 6, 7, 8}, []float32{1, -1, 2, 3}
	n := open(t, fitted(4, true), net.Options{Backward: true})
	for _, sel := range [][]float32{{1, 0, 2, -1}, {0, 1, 0, 0}, {1, 1, 1, 1}, {1, 0, 2, -1}, {0, 0, 1, 0}} {
		var px, py []float32
		for i, v := range sel {
			if v != 0 {
				px, py = append(px, x[2*i:2*i+2]...), append(py, y[i])
			}
		}
		plain := open(t, fitted(len(py), false), net.Options{Backward: true})
		must(t, n.SetInput("x", x))
		must(t, n.SetInput("y", y))
		must(t, n.SetInput("sel", sel))
		must(t, plain.SetInput("x", px))
		must(t, plain.SetInput("y", py))
		must(t, n.ForwardBackward())
		must(t, plain.ForwardBackward())
		near(t, "loss", []float32{loss(t, n)}, []float32{loss(t, plain)})
		got, want := make([]float32, 2), make([]float32, 2)
		must(t, n.ReadDiff(0, got))
		must(t, plain.ReadDiff(0, want))
		near(t, fmt.Sprint("gradient for ", sel), got, want)
	}
}

// The selector may be computed, and behind another Filter: it is computed first,
// from the same numbers, without a second step of what has a state.
func TestFilterComputed(t *testing.T) {
	n := open(t, `
layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 8 dim: 1 } data_filler { type: "gaussian" } } }
layer { name: "bn" type: "BatchNorm" bottom: "x" top: "bn" batch_norm_param { use_global_stats: false moving_average_fraction: 1 } }
layer { name: "positive" type: "Threshold" bottom: "bn" top: "positive" }
layer { name: "first" type: "Filter" bottom: "bn" bottom: "positive" top: "a" }
layer { name: "large" type: "Threshold" bottom: "a" top: "large" threshold_param { threshold: 0.5 } }
layer { name: "second" type: "Filter" bottom: "a" bottom: "large" top: "b" }
layer { name: "behind" type: "DummyData" top: "z" dummy_data_param { shape { dim: 1 } data_filler { type: "uniform" } } }
layer { name: "double" type: "Power" bottom: "b" top: "c" power_param { scale: 2 } }
`, net.Options{KeepAll: true, Random: rng.New(5)})
	counts := map[int]bool{}
	for run := range 12 {
		must(t, n.Forward())
		var a, c []float32
		for _, v := range read(t, n, "bn") {
			if v > 0 {
				a = append(a, v)
			}
			if v > 0.5 {
				c = append(c, 2*v)
			}
		}
		if got := read(t, n, "a"); !slices.Equal(got, a) {
			t.Fatalf("run %d: first filter gives %v, want %v", run, got, a)
		}
		if got := read(t, n, "c"); !slices.Equal(got, c) {
			t.Fatalf("run %d: second filter gives %v, want %v", run, got, c)
		}
		counts[len(c)] = true
		if s := param(t, n, 2)[0]; s != float32(run+1) {
			t.Fatalf("after %d runs the statistics advanced %g times", run+1, s)
		}
	}
	if len(counts) < 3 {
		t.Errorf("only %d numbers of items: the test is weak", len(counts))
	}
}

// Nothing selected is a blob without items.
func TestFilterNone(t *testing.T) {
	n := open(t, `
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 2 } } }
layer { name: "sel" type: "Input" top: "sel" input_param { shape { dim: 3 dim: 1 } } }
layer { name: "filter" type: "Filter" bottom: "x" bottom: "sel" top: "y" }
layer { name: "relu" type: "ReLU" bottom: "y" top: "z" }`, net.Options{})
	must(t, n.SetInput("x", []float32{1, 2, 3, 4, 5, 6}))
	must(t, n.SetInput("sel", []float32{0, 0, 0}))
	must(t, n.Forward())
	if shape := n.Graph().Shape(n.Graph().Blobs["z"]); shape.String() != "0 2" {
		t.Errorf("shape %v, want 0 2", shape)
	}
	must(t, n.SetInput("sel", []float32{0, 1, 0}))
	must(t, n.Forward())
	near(t, "z", read(t, n, "z"), []float32{3, 4})
}

// Detections and what they are held against, both of a size that the data decide,
// one behind the other: the number of rows is that of each batch.
func TestDetectionsEvaluated(t *testing.T) {
	n := open(t, `
layer { name: "loc" type: "Input" top: "loc" input_param { shape { dim: 1 dim: 8 } } }
layer { name: "conf" type: "Input" top: "conf" input_param { shape { dim: 1 dim: 4 } } }
layer { name: "priors" type: "Input" top: "priors" input_param { shape { dim: 1 dim: 2 dim: 8 } } }
layer { name: "truth" type: "Input" top: "truth" input_param { shape { dim: 1 dim: 1 dim: 1 dim: 8 } } }
layer { name: "found" type: "DetectionOutput" bottom: "loc" bottom: "conf" bottom: "priors" top: "found"
  detection_output_param { num_classes: 2 confidence_threshold: 0.5 nms_param { nms_threshold: 0.5 } } }
layer { name: "rows" type: "DetectionEvaluate" bottom: "found" bottom: "truth" top: "rows" detection_evaluate_param { num_classes: 2 } }`, net.Options{})
	must(t, n.SetInput("loc", make([]float32, 8)))
	must(t, n.SetInput("priors", []float32{0, 0, 0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}))
	must(t, n.SetInput("truth", []float32{0, 1, 0, 0, 0, 0.5, 0.5, 0}))
	for _, c := range []struct{ conf, want []float32 }{
		{[]float32{0, 0.9, 0, 0.7}, []float32{-1, 1, 1, -1, -1, 0, 1, 0.9, 1, 0, 0, 1, 0.7, 0, 1}},
		{[]float32{0, 0.1, 0, 0.1}, []float32{-1, 1, 1, -1, -1}},
		{[]float32{0, 0.1, 0, 0.7}, []float32{-1, 1, 1, -1, -1, 0, 1, 0.7, 0, 1}},
	} {
		must(t, n.SetInput("conf", c.conf))
		must(t, n.Forward())
		near(t, "rows", read(t, n, "rows"), c.want)
	}
}
