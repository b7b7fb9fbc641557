package layers_test

import (
	"math"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/internal/npz"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// closeTo checks numbers worked out by hand.
func closeTo(t *testing.T, what string, got []float32, want ...float32) {
	t.Helper()
	sameArray(t, what, npz.Array{Shape: []int{len(got)}, Data: got}, npz.Array{Shape: []int{len(want)}, Data: want}, 1e-5)
}

// TestPreFixed: the loss is that of NONE over pre_fixed_normalizer, which is at least 1.
func TestPreFixed(t *testing.T) {
	for name, dev := range enginetest.Devices(t) {
		for norm, divisor := range map[string]float32{
			"normalization: NONE": 1, "normalization: PRE_FIXED pre_fixed_normalizer: 8": 8,
			"normalization: PRE_FIXED pre_fixed_normalizer: 0.5": 1, "normalization: PRE_FIXED": 1,
		} {
			for _, typ := range []string{"SoftmaxWithLoss", "SoftmaxWithLossOHEM"} {
				r := runText(t, dev, plan.Options{}, []string{"2 2", "2"}, `layer { name: "l" type: "`+typ+`" bottom: "a" bottom: "b" top: "y" loss_param { `+norm+` } }`)
				r.set("a", []float32{1, 1, 2, 2})
				r.set("b", []float32{0, 1})
				r.run()
				closeTo(t, name+" "+typ+" "+norm, r.blob("y"), 2*math.Ln2/divisor)
				closeTo(t, name+" gradient "+norm, r.diff("a"), -0.5/divisor, 0.5/divisor, 0.5/divisor, -0.5/divisor)
			}
			r := runText(t, dev, plan.Options{}, []string{"1 2 1 1", "1 2 1 1"}, `layer { name: "l" type: "SmoothL1LossOHEM" bottom: "a" bottom: "b" top: "y" loss_param { `+norm+` } }`)
			r.set("a", []float32{3, 0.5})
			r.set("b", []float32{0, 0})
			r.run()
			closeTo(t, name+" SmoothL1LossOHEM "+norm, r.blob("y"), 2.625/divisor)
		}
	}
}

// TestSoftmaxLossOHEMIgnore: an ignored position has no loss, and is at its place.
func TestSoftmaxLossOHEMIgnore(t *testing.T) {
	for name, dev := range enginetest.Devices(t) {
		r := runText(t, dev, plan.Options{}, []string{"3 2", "3"},
			`layer { name: "l" type: "SoftmaxWithLossOHEM" bottom: "a" bottom: "b" top: "y" top: "p" top: "each" loss_weight: 1 loss_weight: 0 loss_weight: 0 loss_param { ignore_label: -1 } }`)
		r.set("a", []float32{1, 1, 5, 6, 0, 0})
		r.set("b", []float32{0, -1, 1})
		r.run()
		closeTo(t, name+" loss", r.blob("y"), math.Ln2)
		closeTo(t, name+" each", r.blob("each"), math.Ln2, 0, math.Ln2)
	}
}

// TestScaleBias: NVCaffe's blobs 3 and 4 are learned, the statistics are not; a filler
// alone makes them too.
func TestScaleBias(t *testing.T) {
	const bn = `layer { name: "l" type: "BatchNorm" bottom: "a" top: "y" batch_norm_param { eps: 0.00001 `
	for name, dev := range enginetest.Devices(t) {
		r := runText(t, dev, plan.Options{}, []string{"2 1"}, bn+`scale_bias: true } }`)
		if len(r.g.Params) != 5 {
			t.Fatalf("%d blobs, want 5", len(r.g.Params))
		}
		for i, p := range r.g.Params {
			if learned := p.LRMult != 0; learned != (i >= 3) {
				t.Errorf("blob %d has lr_mult %g", i, p.LRMult)
			}
		}
		if scale, shift := r.g.Params[3].Filler.GetValue(), r.g.Params[4].Filler.GetValue(); scale != 1 || shift != 0 {
			t.Errorf("fillers are %g and %g, want 1 and 0", scale, shift)
		}
		for i, v := range []float32{0, 0, 0, 3, 2} {
			check(t, r.p.Store(r.g.Params[i].Value, []float32{v}))
		}
		r.set("a", []float32{1, 5}) // mean 3, variance 4
		r.seed("y", []float32{4, 1})
		r.run()
		closeTo(t, name+" top", r.blob("y"), -1, 5)
		closeTo(t, name+" scale's gradient", r.read(r.g.Params[3].Grad), -3)
		closeTo(t, name+" shift's gradient", r.read(r.g.Params[4].Grad), 5)
	}
	for param, blobs := range map[string]int{"scale_bias: false } }": 3, `scale_filler { type: "constant" value: 2 } } }`: 5, `bias_filler { value: 2 } } }`: 5} {
		r := runText(t, enginetest.Devices(t)["ref"], plan.Options{}, []string{"2 1"}, bn+param)
		if len(r.g.Params) != blobs {
			t.Errorf("%s: %d blobs, want %d", param, len(r.g.Params), blobs)
		}
	}
}

// TestSegAccuracyKeeps: with reset: false the second batch is added to the first.
// First both labels are found, then one of two zeros: together 2 of 3 zeros and 1
// of 1 ones, and intersections over unions of ⅔ and ½.
func TestSegAccuracyKeeps(t *testing.T) {
	for reset, want := range map[string][]float32{"true": {0.5, 0.5, 0.25}, "false": {0.75, 5.0 / 6, 7.0 / 12}} {
		r := runText(t, enginetest.Devices(t)["ref"], plan.Options{}, []string{"1 2 1 2", "1 1 1 2"},
			`layer { name: "l" type: "SegAccuracy" bottom: "a" bottom: "b" top: "y" seg_accuracy_param { reset: `+reset+` } }`)
		r.set("a", []float32{1, 0, 0, 1})
		r.set("b", []float32{0, 1})
		check(t, r.p.Run(graph.Forward))
		closeTo(t, "first batch", r.blob("y"), 1, 1, 1)
		r.set("b", []float32{0, 0})
		check(t, r.p.Run(graph.Forward))
		closeTo(t, "reset: "+reset, r.blob("y"), want...)
	}
}

// TestMarginTraining: the step starts from the rows of length 1, and λ falls with
// each forward pass.
func TestMarginTraining(t *testing.T) {
	for name, dev := range enginetest.Devices(t) {
		g, err := buildText(t, 0, []string{"1 2", "1"}, `
			layer { name: "l" type: "MarginInnerProduct" bottom: "a" bottom: "b" top: "y" top: "lambda" loss_weight: 1 loss_weight: 0
				margin_inner_product_param { num_output: 1 base: 6 gamma: 1 power: 1 lambda_min: 1.7 } }`)
		check(t, err)
		check(t, graph.Differentiate(g, graph.GradOptions{}))
		u, err := graph.AddUpdate(g, graph.UpdateOptions{})
		check(t, err)
		check(t, g.Verify())
		weights := g.Params[0].Value
		p, err := plan.Compile(g, dev, plan.Options{Keep: []graph.Value{g.Blobs["lambda"], g.Blobs["y"]}})
		check(t, err)
		hyper := make([]float32, engine.HyperSize)
		hyper[engine.HyperRate] = 0.5
		hyper[engine.HyperScale], hyper[engine.HyperClip] = 1, 1
		check(t, p.Store(u.Hyper, hyper))
		check(t, p.Store(weights, []float32{3, 4}))
		check(t, p.Feed(g.Blobs["a"], []float32{1, 2}))
		check(t, p.Feed(g.Blobs["b"], []float32{0}))
		for _, dir := range []graph.Direction{graph.Forward, graph.Backward, graph.ApplyUpdate} {
			check(t, p.Run(dir))
		}
		closeTo(t, name+" top", fetch(t, g, p, g.Blobs["y"]).Data, 2.2)
		closeTo(t, name+" weights", fetch(t, g, p, weights).Data, 0.6-0.5, 0.8-1)
		for _, want := range []float32{3, 2, 1.7} { // 6/(1 + t)
			closeTo(t, name+" λ", fetch(t, g, p, g.Blobs["lambda"]).Data, want)
			check(t, p.Run(graph.Forward))
		}
		check(t, p.Close())
	}
}
