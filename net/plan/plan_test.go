package plan_test

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"

	"github.com/gocaffe/gocaffe/engine"
	_ "github.com/gocaffe/gocaffe/engine/ref"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// resolve makes the layers of a prototxt without in-place tops, phases or
// splits, which is all that these tests need of net/spec.
func resolve(t *testing.T, text string) []*spec.Layer {
	t.Helper()
	net := &caffepb.NetParameter{}
	if err := prototext.Unmarshal([]byte(text), net); err != nil {
		t.Fatal(err)
	}
	var out []*spec.Layer
	for _, l := range net.Layer {
		s := &spec.Layer{LayerParameter: l}
		for _, b := range l.Bottom {
			s.Bottoms = append(s.Bottoms, spec.Blob{Name: b, Version: 1})
		}
		for _, b := range l.Top {
			s.Tops = append(s.Tops, spec.Blob{Name: b, Version: 1})
		}
		out = append(out, s)
	}
	return out
}

const block = `
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 8 } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" inner_product_param { num_output: 6 } }
layer { name: "ra" type: "ReLU" bottom: "a" top: "ra" }
layer { name: "b" type: "InnerProduct" bottom: "ra" top: "b" param { lr_mult: 2 } inner_product_param { num_output: 6 bias_term: false } }
layer { name: "c" type: "InnerProduct" bottom: "ra" top: "c" loss_weight: 0.5 inner_product_param { num_output: 4 transpose: true } }
layer { name: "rb" type: "ReLU" bottom: "b" top: "rb" loss_weight: 1 relu_param { negative_slope: 0.1 } }
`

// trainer runs some steps of SGD and gives all params.
func trainer(t *testing.T, o plan.Options, steps int) [][]float32 {
	t.Helper()
	g, err := graph.Build(resolve(t, block), graph.Options{Lower: layers.Lower})
	if err != nil {
		t.Fatal(err)
	}
	if err := graph.Differentiate(g, graph.GradOptions{}); err != nil {
		t.Fatal(err)
	}
	u, err := graph.AddUpdate(g, graph.UpdateOptions{Rule: engine.SGD, Momentum: 0.9, WeightDecay: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Verify(); err != nil {
		t.Fatal(err)
	}
	dev, err := engine.Open("ref", engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	p, err := plan.Compile(g, dev, o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	return train(t, g, p, u, steps)
}

func train(t *testing.T, g *graph.Graph, p *plan.Plan, u *graph.Update, steps int) [][]float32 {
	t.Helper()
	r := rand.New(rand.NewSource(1))
	for _, prm := range g.Params {
		must(t, p.Store(prm.Value, random(r, g.Shape(prm.Value).Count())))
	}
	must(t, p.Store(u.Hyper, []float32{0.01, 1, 1, 1}))
	for range steps {
		must(t, p.Feed(g.Feeds[0].Values[0], random(r, g.Shape(g.Feeds[0].Values[0]).Count())))
		must(t, p.Run(graph.Forward, graph.Backward, graph.ApplyUpdate))
	}
	var out [][]float32
	for _, prm := range g.Params {
		w := make([]float32, g.Shape(prm.Value).Count())
		must(t, p.Fetch(prm.Value, w))
		out = append(out, w)
	}
	loss := make([]float32, 1)
	must(t, p.Fetch(g.Loss, loss))
	return append(out, loss)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func random(r *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = r.Float32() - 0.5
	}
	return out
}

// TestOptionsAgree trains with and without fusion and reuse of memory.
func TestOptionsAgree(t *testing.T) {
	want := trainer(t, plan.Options{NoFuse: true, NoReuse: true}, 5)
	for _, o := range []plan.Options{{}, {NoFuse: true}, {NoReuse: true}} {
		t.Run(fmt.Sprintf("fuse=%v,reuse=%v", !o.NoFuse, !o.NoReuse), func(t *testing.T) {
			got := trainer(t, o, 5)
			for i := range want {
				for j := range want[i] {
					if math.Abs(float64(got[i][j]-want[i][j])) > 1e-5 {
						t.Fatalf("param %d[%d]: %g, plain plan gives %g", i, j, got[i][j], want[i][j])
					}
				}
			}
		})
	}
}

// TestFusion checks that the rows apply: no bias or ReLU is left on its own.
func TestFusion(t *testing.T) {
	g, err := graph.Build(resolve(t, block), graph.Options{Lower: layers.Lower})
	must(t, err)
	dev, err := engine.Open("ref", engine.Config{})
	must(t, err)
	defer dev.Close()
	p, err := plan.Compile(g, dev, plan.Options{})
	must(t, err)
	defer p.Close()
	for _, s := range p.Steps() {
		switch s.Op.(type) {
		case engine.Unary, engine.Broadcast:
			t.Errorf("left unfused: %s", graph.OpText(s.Op))
		}
	}
}

// TestReuse checks that memory is reused at all and that nothing kept is.
func TestReuse(t *testing.T) {
	size := func(o plan.Options) int64 {
		g, err := graph.Build(resolve(t, block), graph.Options{Lower: layers.Lower})
		must(t, err)
		must(t, graph.Differentiate(g, graph.GradOptions{}))
		dev, err := engine.Open("ref", engine.Config{})
		must(t, err)
		defer dev.Close()
		for _, p := range g.Params {
			o.Keep = append(o.Keep, p.Grad)
		}
		p, err := plan.Compile(g, dev, o)
		must(t, err)
		defer p.Close()
		return p.Memory().Activations
	}
	if with, without := size(plan.Options{}), size(plan.Options{NoReuse: true}); with >= without {
		t.Errorf("arena is %d bytes with reuse, %d without", with, without)
	}
}
