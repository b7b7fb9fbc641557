package plan_test

import (
	"math"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// gradientsOf runs one pass over a net and gives the gradients of its params and the
// loss, each named.
func gradientsOf(t *testing.T, dev engine.Device, text string, o plan.Options) (names []string, grads [][]float32) {
	t.Helper()
	g, err := graph.Build(resolve(t, text), graph.Options{Lower: layers.Lower})
	must(t, err)
	must(t, graph.Differentiate(g, graph.GradOptions{}))
	for _, prm := range g.Params {
		if prm.Grad != graph.None {
			o.Keep = append(o.Keep, prm.Grad)
		}
	}
	p, err := plan.Compile(g, dev, o)
	must(t, err)
	defer p.Close()
	r := rand.New(rand.NewSource(7))
	for _, prm := range g.Params {
		must(t, p.Store(prm.Value, random(r, g.Shape(prm.Value).Count())))
	}
	for _, f := range g.Feeds {
		data := random(r, g.Shape(f.Values[0]).Count())
		if g.Layers[f.Layer].GetName() == "label" {
			for i := range data {
				data[i] = float32(r.Intn(5))
			}
		}
		must(t, p.Feed(f.Values[0], data))
	}
	must(t, p.Run(graph.Forward, graph.Backward))
	for _, prm := range append(g.Params, graph.Param{Grad: g.Loss}) {
		if prm.Grad == graph.None {
			continue
		}
		v := make([]float32, g.Shape(prm.Grad).Count())
		must(t, p.Fetch(prm.Grad, v))
		names, grads = append(names, g.Values[prm.Grad].Name), append(grads, v)
	}
	return names, grads
}

// norm is Euclid's.
func norm(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// distances is |a − b|/|b| for each tensor. What is exactly 0 but for rounding, such as the
// gradient of a bias in front of a BatchNorm, is held against a share of the whole.
func distances(a, b [][]float32) []float64 {
	whole := 0.0
	for _, v := range b {
		whole = math.Hypot(whole, norm(v))
	}
	var list []float64
	for i := range b {
		d := make([]float32, len(b[i]))
		for j := range d {
			d[j] = a[i][j] - b[i][j]
		}
		list = append(list, norm(d)/max(norm(b[i]), whole/20))
	}
	return list
}

// TestRandomNetsBF16 holds the gradients of random nets in bf16 against those in fp32.
// Every number is rounded to 8 bits on the way, and now and then a maximum or the side of
// a kink changes: half of the gradients agree within some hundredths, none is far off.
func TestRandomNetsBF16(t *testing.T) {
	oracle := enginetest.Devices(t)["ref"]
	all := map[string][]float64{}
	for name, dev := range enginetest.DevicesAt(t, engine.PrecisionBF16) {
		for seed := range int64(40) {
			text := randomNet(rand.New(rand.NewSource(seed)))
			_, want := gradientsOf(t, oracle, text, plan.Options{})
			for _, o := range []plan.Options{{}, {NoFuse: true}, {NoReuse: true}} {
				names, got := gradientsOf(t, dev, text, o)
				for i, d := range distances(got, want) {
					if all[name] = append(all[name], d); !(d < 1) {
						t.Errorf("%s, seed %d, fuse %v, reuse %v: %s is off by %.3f\n%s", name, seed, !o.NoFuse, !o.NoReuse, names[i], d, text)
					}
				}
			}
		}
	}
	for name, list := range all {
		slices.Sort(list)
		if median, most := list[len(list)/2], list[len(list)*9/10]; !(median <= 0.04) || !(most <= 0.2) {
			t.Errorf("%s: half of the gradients are off by up to %.3f, nine of ten by up to %.3f", name, median, most)
		}
	}
}

// mixed has a loss of its own arithmetic beside the softmax, and two products.
const mixed = `
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 4 dim: 6 dim: 6 } } }
layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 3 } } }
layer { name: "c1" type: "Convolution" bottom: "x" top: "c1" convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
layer { name: "bn" type: "BatchNorm" bottom: "c1" top: "bn" }
layer { name: "r1" type: "ReLU" bottom: "bn" top: "r1" }
layer { name: "p1" type: "Pooling" bottom: "r1" top: "p1" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "ip" type: "InnerProduct" bottom: "p1" top: "ip" inner_product_param { num_output: 5 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
layer { name: "norm" type: "Reduction" bottom: "ip" top: "norm" loss_weight: 0.01 reduction_param { operation: SUMSQ } }
`

// TestPrecisionTypes pins which values are bf16: what products read, back to what makes
// it, and nothing that leads to a loss or belongs to a param.
func TestPrecisionTypes(t *testing.T) {
	g, err := graph.Build(resolve(t, mixed), graph.Options{Lower: layers.Lower})
	must(t, err)
	must(t, graph.Differentiate(g, graph.GradOptions{}))
	u, err := graph.AddUpdate(g, graph.UpdateOptions{Rule: engine.SGD, Momentum: 0.9})
	must(t, err)
	dev := enginetest.DevicesAt(t, engine.PrecisionBF16)["ref"]
	p, err := plan.Compile(g, dev, plan.Options{})
	must(t, err)
	defer p.Close()

	narrow := map[string]bool{}
	for _, s := range p.Steps() {
		for _, v := range append(append([]graph.Value{}, s.In...), s.Out...) {
			if v != graph.None {
				narrow[p.Name(v)] = p.Desc(v).DType == engine.BF16
			}
		}
		_, mayOut := engine.Narrow(s.Op)
		for i, v := range s.Out {
			if v != graph.None && p.Desc(v).DType == engine.BF16 && !mayOut.Has(i) {
				t.Errorf("%s writes %s in bf16", graph.OpText(s.Op), g.Values[v].Name)
			}
		}
		if engine.Multiplies(s.Op) && p.Desc(s.In[0]).DType != engine.BF16 {
			t.Errorf("%s multiplies %v", graph.OpText(s.Op), p.Desc(s.In[0]).DType)
		}
	}
	for _, prm := range g.Params {
		for _, v := range []graph.Value{prm.Value, prm.Grad} {
			if v != graph.None && p.Desc(v).DType != engine.F32 {
				t.Errorf("%s is %v", g.Values[v].Name, p.Desc(v).DType)
			}
		}
	}
	for name, want := range map[string]bool{"c1": true, "p1": true, "ip": false, "loss": false, "label": false} {
		if got, ok := narrow[name]; ok && got != want {
			t.Errorf("%s in bf16: %v, want %v", name, got, want)
		}
	}
	if p.Desc(u.Hyper).DType != engine.F32 {
		t.Error("the learning rate is bf16")
	}
}

// TestDerived checks that copies of params are made when a param has changed and only then.
func TestDerived(t *testing.T) {
	dev := enginetest.DevicesAt(t, engine.PrecisionBF16)["ref"]
	g, err := graph.Build(resolve(t, mixed), graph.Options{Lower: layers.Lower})
	must(t, err)
	must(t, graph.Differentiate(g, graph.GradOptions{}))
	u, err := graph.AddUpdate(g, graph.UpdateOptions{Rule: engine.SGD, Momentum: 0.9})
	must(t, err)
	p, err := plan.Compile(g, dev, plan.Options{})
	must(t, err)
	defer p.Close()
	must(t, p.Store(u.Hyper, []float32{0.1, 1, 1, 1}))
	r := rand.New(rand.NewSource(1))
	store := func() {
		for _, prm := range g.Params {
			must(t, p.Store(prm.Value, random(r, g.Shape(prm.Value).Count())))
		}
	}
	copies := func(dirs ...graph.Direction) (n int) {
		must(t, p.RunTimed(func(s *plan.Step, _ time.Duration) {
			if _, ok := s.Op.(engine.Reorder); ok && s.Dir == graph.Forward && g.Values[s.In[0]].Origin == graph.FromParam {
				n++
			}
		}, dirs...))
		return n
	}
	store()
	const weights = 2 // of the convolution and of the inner product
	for i, want := range []int{weights, 0} {
		if got := copies(graph.Forward); got != want {
			t.Errorf("run %d copies %d params, want %d", i, got, want)
		}
	}
	if store(); copies(graph.Forward) != weights {
		t.Error("stored params are not copied anew")
	}
	if got := copies(graph.Forward, graph.Backward, graph.ApplyUpdate); got != 0 {
		t.Errorf("%d params were copied before their update", got)
	}
	if copies(graph.Forward) != weights {
		t.Error("updated params are not copied anew")
	}
	must(t, p.Run(graph.Forward, graph.Backward, graph.ApplyUpdate))
	if copies(graph.Forward) != weights {
		t.Error("params that Run updated are not copied anew")
	}
}

// TestDerivedLives runs a plan again and again: where nothing is copied anew, nobody else
// may have used the copies' memory.
func TestDerivedLives(t *testing.T) {
	dev := enginetest.DevicesAt(t, engine.PrecisionBF16)["ref"]
	for seed := range int64(10) {
		g, err := graph.Build(resolve(t, randomNet(rand.New(rand.NewSource(seed)))), graph.Options{Lower: layers.Lower})
		must(t, err)
		p, err := plan.Compile(g, dev, plan.Options{})
		must(t, err)
		r := rand.New(rand.NewSource(seed))
		for _, prm := range g.Params {
			must(t, p.Store(prm.Value, random(r, g.Shape(prm.Value).Count())))
		}
		must(t, p.Feed(g.Feeds[0].Values[0], random(r, g.Shape(g.Feeds[0].Values[0]).Count())))
		first, loss := make([]float32, 1), make([]float32, 1)
		must(t, p.Run(graph.Forward))
		must(t, p.Fetch(g.Loss, first))
		for range 2 {
			must(t, p.Run(graph.Forward))
			if must(t, p.Fetch(g.Loss, loss)); loss[0] != first[0] {
				t.Fatalf("seed %d: loss %g, of the first run %g", seed, loss[0], first[0])
			}
		}
		must(t, p.Close())
	}
}
