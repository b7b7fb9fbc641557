package layers_test

import (
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/internal/npz"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// TestBatchNormIsFixed: three param entries are reset to lr_mult 0, as Caffe
// does on reading, and fewer are filled up with 0.
func TestBatchNormIsFixed(t *testing.T) {
	for _, entries := range []string{"", "param { lr_mult: 0 }", "param { lr_mult: 1 } param { lr_mult: 1 } param { lr_mult: 1 }"} {
		g, err := buildText(t, caffepb.Phase_TRAIN, []string{"2 3"}, `layer { name: "l" type: "BatchNorm" bottom: "a" top: "y" `+entries+` }`)
		check(t, err)
		for _, p := range g.Params {
			if p.LRMult != 0 || p.DecayMult != 0 {
				t.Errorf("%q: param %d has lr_mult %g and decay_mult %g", entries, p.Index, p.LRMult, p.DecayMult)
			}
		}
	}
}

// TestBatchNormPhase: the phase decides whose statistics are used, unless
// use_global_stats does.
func TestBatchNormPhase(t *testing.T) {
	for _, c := range []struct {
		phase  caffepb.Phase
		param  string
		global bool
	}{
		{caffepb.Phase_TRAIN, "", false},
		{caffepb.Phase_TEST, "", true},
		{caffepb.Phase_TRAIN, "batch_norm_param { use_global_stats: true }", true},
		{caffepb.Phase_TEST, "batch_norm_param { use_global_stats: false }", false},
	} {
		g, err := buildText(t, c.phase, []string{"2 3"}, `layer { name: "l" type: "BatchNorm" bottom: "a" top: "y" `+c.param+` }`)
		check(t, err)
		if global := len(g.Assigns) == 0; global != c.global {
			t.Errorf("%v %q: global statistics %v, want %v", c.phase, c.param, global, c.global)
		}
	}
}

// TestSharedBatchNorm runs two layers that share their blobs. Caffe runs them one
// after the other, so the blobs advance twice: with λ = ½, means 1 and 3 and
// variances 2 and 8 (n/(n−1) times 1 and 4), m = ½(½·8 + 1) + 3 = 5.5,
// v = ½(½·12 + 2) + 8 = 12 and s = ½(½·4 + 1) + 1 = 2.5.
func TestSharedBatchNorm(t *testing.T) {
	const shared = `param { name: "m" lr_mult: 0 } param { name: "v" lr_mult: 0 } param { name: "s" lr_mult: 0 }
		batch_norm_param { moving_average_fraction: 0.5 }`
	g, err := buildText(t, caffepb.Phase_TRAIN, []string{"2 1", "2 1"}, `
		layer { name: "l1" type: "BatchNorm" bottom: "a" top: "y" `+shared+` }
		layer { name: "l2" type: "BatchNorm" bottom: "b" top: "z" `+shared+` }`)
	check(t, err)
	check(t, g.Verify())
	for name, dev := range enginetest.Devices(t) {
		for _, o := range []plan.Options{{}, {NoFuse: true}, {NoReuse: true}} {
			got := runShared(t, g, dev, o)
			for i, want := range []float32{5.5, 12, 2.5} {
				sameArray(t, name, got[i], npz.Array{Shape: []int{1}, Data: []float32{want}}, 1e-6)
			}
		}
	}
}

func runShared(t *testing.T, g *graph.Graph, dev engine.Device, o plan.Options) []npz.Array {
	t.Helper()
	o.Keep = []graph.Value{g.Blobs["y"], g.Blobs["z"]}
	p, err := plan.Compile(g, dev, o)
	check(t, err)
	defer func() { check(t, p.Close()) }()
	check(t, p.Store(g.Params[0].Value, []float32{8}))
	check(t, p.Store(g.Params[1].Value, []float32{12}))
	check(t, p.Store(g.Params[2].Value, []float32{4}))
	check(t, p.Feed(g.Blobs["a"], []float32{0, 2}))
	check(t, p.Feed(g.Blobs["b"], []float32{1, 5}))
	check(t, p.Run(graph.Forward))
	var got []npz.Array
	for _, prm := range g.Params {
		got = append(got, fetch(t, g, p, prm.Value))
	}
	return got
}
