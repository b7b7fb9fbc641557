package plan_test

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// inferenceNet writes a random net of products and of what is affine a channel, with
// stored statistics.
func inferenceNet(r *rand.Rand) string {
	w := &netWriter{r: r}
	w.addf(`layer { name: "x" type: "Input" top: "x" input_param { shape { dim: %d dim: %d dim: 7 dim: 6 } } }`, 1+r.Intn(3), []int{3, 16, 20}[r.Intn(3)])
	top := "x"
	for range 2 + r.Intn(4) {
		out := []int{4, 16, 20}[r.Intn(3)]
		switch r.Intn(4) {
		case 0:
			top = w.layer("Deconvolution", top, fmt.Sprintf("convolution_param { num_output: %d kernel_size: 2 bias_term: %v }", out, r.Intn(2) == 0))
		case 1:
			conv := w.conv(top, 16)
			top = w.layer("Convolution", conv, "convolution_param { num_output: 16 kernel_size: 3 pad: 1 group: 16 }")
		default:
			top = w.conv(top, out)
		}
		top = w.affine(top)
		switch r.Intn(3) {
		case 0:
			top = w.relu(top)
		case 1:
			top = w.layer("Clip", top, "clip_param { min: -0.3 max: 0.5 }")
		}
	}
	top = w.layer("InnerProduct", top, "inner_product_param { num_output: 6 }")
	w.affine(top)
	return w.String()
}

// affine is up to three layers that a product's weights can take in.
func (w *netWriter) affine(top string) string {
	for range w.r.Intn(4) {
		switch w.r.Intn(4) {
		case 0:
			top = w.layer("Scale", top, fmt.Sprintf("scale_param { bias_term: %v }", w.r.Intn(2) == 0))
		case 1:
			top = w.layer("Bias", top, "")
		default:
			top = w.layer("BatchNorm", top, "batch_norm_param { use_global_stats: true }")
		}
	}
	return top
}

// inference is a net that runs forward.
type inference struct {
	g *graph.Graph
	p *plan.Plan
}

func newInference(t *testing.T, dev engine.Device, text string, o plan.Options) inference {
	t.Helper()
	g, err := graph.Build(resolve(t, text), graph.Options{Lower: layers.Lower})
	must(t, err)
	for _, name := range g.Outputs {
		o.Keep = append(o.Keep, g.Blobs[name])
	}
	p, err := plan.Compile(g, dev, o)
	must(t, err)
	return inference{g, p}
}

// weights sets all params. Those of a BatchNorm are a mean, a variance and their count.
func (n inference) weights(t *testing.T, seed int64) {
	t.Helper()
	r := rand.New(rand.NewSource(seed))
	for _, prm := range n.g.Params {
		data := random(r, n.g.Shape(prm.Value).Count())
		if n.g.Layers[prm.Layer].GetType() == "BatchNorm" && prm.Index > 0 {
			for i := range data {
				data[i] = 0.5 + data[i]*data[i]
			}
		}
		must(t, n.p.Store(prm.Value, data))
	}
}

// output runs the net and gives what it computes.
func (n inference) output(t *testing.T, seed int64) [][]float32 {
	t.Helper()
	r := rand.New(rand.NewSource(seed))
	for _, f := range n.g.Feeds {
		must(t, n.p.Feed(f.Values[0], random(r, n.g.Shape(f.Values[0]).Count())))
	}
	must(t, n.p.Run(graph.Forward))
	var out [][]float32
	for _, name := range n.g.Outputs {
		y := make([]float32, n.g.Shape(n.g.Blobs[name]).Count())
		must(t, n.p.Fetch(n.g.Blobs[name], y))
		out = append(out, y)
	}
	return out
}

// TestFoldedNets: nets with folded weights compute what the layers say, on every
// engine, also when other weights are loaded, and when one param alone has changed.
func TestFoldedNets(t *testing.T) {
	devices := enginetest.Devices(t)
	for seed := range int64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			text := inferenceNet(rand.New(rand.NewSource(seed)))
			oracle := newInference(t, devices["ref"], text, plan.Options{NoFuse: true, NoReuse: true})
			defer oracle.p.Close()
			for name, dev := range devices {
				n := newInference(t, dev, text, plan.Options{})
				defer n.p.Close()
				for i := range int64(4) {
					for _, net := range []inference{oracle, n} {
						if i != 1 { // the second run finds all as it was
							net.weights(t, seed+i/2)
						}
						if i == 3 {
							first := n.g.Params[0].Value
							must(t, net.p.Store(first, random(rand.New(rand.NewSource(9)), n.g.Shape(first).Count())))
						}
					}
					if msg := differ(oracle.output(t, i), n.output(t, i), 1e-4); msg != "" {
						t.Fatalf("%s, run %d: %s\n%s", name, i, msg, text)
					}
				}
			}
		})
	}
}

const foldNet = `
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "n" type: "BatchNorm" bottom: "c" top: "n" batch_norm_param { use_global_stats: true } }
layer { name: "s" type: "Scale" bottom: "n" top: "s" scale_param { bias_term: true } }
layer { name: "r" type: "ReLU" bottom: "s" top: "r" }
`

// A Clip, as ReLU6 is, is a part of the convolution before it, where no gradient needs what
// it clips.
func TestClipFolds(t *testing.T) {
	text := strings.Replace(foldNet, `type: "ReLU" bottom: "s" top: "r"`, `type: "Clip" bottom: "s" top: "r" loss_weight: 1 clip_param { min: 0 max: 6 }`, 1)
	for name, dev := range enginetest.Devices(t) {
		for _, backward := range []bool{false, true} {
			g, err := graph.Build(resolve(t, text), graph.Options{Lower: layers.Lower})
			must(t, err)
			o := plan.Options{Keep: []graph.Value{g.Blobs["r"]}}
			if backward {
				must(t, graph.Differentiate(g, graph.GradOptions{}))
				for _, prm := range g.Params {
					if prm.Grad != graph.None {
						o.Keep = append(o.Keep, prm.Grad)
					}
				}
			}
			p, err := plan.Compile(g, dev, o)
			must(t, err)
			clips := 0
			for _, s := range p.Steps() {
				if u, ok := s.Op.(engine.Unary); ok && u.Fn == engine.Clip {
					clips++
				}
			}
			if clips != map[bool]int{false: 0, true: 1}[backward] {
				t.Errorf("%s: %d steps of Clip with backward %v", name, clips, backward)
			}
			must(t, p.Close())
		}
	}
}

// A convolution, its BatchNorm, Scale and ReLU are one step that runs each time. What
// somebody wants to see is computed.
func TestNormsFold(t *testing.T) {
	dev := enginetest.Devices(t)["ref"]
	for _, c := range []struct {
		keep              []string
		norms, mul, relus int
	}{
		{nil, 0, 0, 0},
		{[]string{"s"}, 0, 0, 1},
		{[]string{"n"}, 0, 1, 1},
		{[]string{"c"}, 1, 1, 1},
	} {
		g, err := graph.Build(resolve(t, foldNet), graph.Options{Lower: layers.Lower})
		must(t, err)
		o := plan.Options{Keep: []graph.Value{g.Blobs["r"]}}
		for _, name := range c.keep {
			o.Keep = append(o.Keep, g.Blobs[name])
		}
		p, err := plan.Compile(g, dev, o)
		must(t, err)
		n := map[string]int{}
		for _, s := range p.Steps() {
			name := fmt.Sprintf("%T", s.Op)
			if b, ok := s.Op.(engine.Broadcast); ok && b.Axis == 1 {
				name = "channels " + b.Fn.String()
			}
			n[name]++
		}
		if n["engine.Conv"] != 1 || n["engine.Normalize"] != c.norms || n["channels Mul"] != c.mul || n["engine.Unary"]-(1-c.norms) != c.relus {
			t.Errorf("keeping %v: steps are %v", c.keep, n)
		}
		must(t, p.Close())
	}
}

// TestFoldFollowsTraining: a net that tests the params that another one trains folds
// them anew after each step, and the one that trains folds nothing.
func TestFoldFollowsTraining(t *testing.T) {
	trained := strings.Replace(normNet, `bottom: "c" top: "n"`, `bottom: "c" top: "n" batch_norm_param { use_global_stats: true }`, 1)
	for name, dev := range enginetest.Devices(t) {
		storage := plan.NewStorage(dev)
		g, err := graph.Build(resolve(t, trained), graph.Options{Lower: layers.Lower})
		must(t, err)
		must(t, graph.Differentiate(g, graph.GradOptions{}))
		u, err := graph.AddUpdate(g, graph.UpdateOptions{Rule: engine.SGD, Momentum: 0.9})
		must(t, err)
		p, err := plan.Compile(g, dev, plan.Options{Storage: storage})
		must(t, err)
		for _, s := range p.Steps() {
			if strings.Contains(strings.Join(stepOutputs(p, s), " "), "@folded") {
				t.Errorf("%s: step %T of a net that is trained makes %v", name, s.Op, stepOutputs(p, s))
			}
		}
		must(t, p.Store(u.Hyper, []float32{-0.1, 1, 1, 1})) // uphill: no ReLU dies
		test := newInference(t, dev, foldNet, plan.Options{Storage: storage})
		plain := newInference(t, dev, foldNet, plan.Options{Storage: storage, NoFuse: true})
		test.weights(t, 5)
		before := test.output(t, 1)
		for range 3 {
			must(t, p.Feed(g.Feeds[0].Values[0], random(rand.New(rand.NewSource(2)), 96)))
			must(t, p.Run(graph.Forward, graph.Backward, graph.ApplyUpdate))
			after := test.output(t, 1)
			if msg := differ(plain.output(t, 1), after, 1e-5); msg != "" {
				t.Fatalf("%s: %s", name, msg)
			}
			if differ(before, after, 1e-4) == "" {
				t.Fatalf("%s: the step changed nothing", name)
			}
			before = after
		}
		for _, c := range []*plan.Plan{p, test.p, plain.p} {
			must(t, c.Close())
		}
		must(t, storage.Close())
	}
}

func stepOutputs(p *plan.Plan, s *plan.Step) []string {
	var names []string
	for _, v := range s.Out {
		if v != graph.None {
			names = append(names, p.Name(v))
		}
	}
	return names
}
