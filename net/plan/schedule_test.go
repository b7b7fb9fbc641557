package plan_test

import (
	"reflect"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// The gradient of f's weights is 32 times as large as what it is made of, that of c's
// weights is smaller than its input.
const broad = `
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 8 dim: 8 } } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 2 kernel_size: 3 pad: 1 } }
layer { name: "s" type: "Sigmoid" bottom: "c" top: "s" }
layer { name: "f" type: "InnerProduct" bottom: "s" top: "f" loss_weight: 1 inner_product_param { num_output: 64 } }
`

// broadPlan compiles the net with its update.
func broadPlan(t *testing.T, update graph.UpdateOptions, o plan.Options) (*graph.Graph, *plan.Plan, *graph.Update) {
	t.Helper()
	g, err := graph.Build(resolve(t, broad), graph.Options{Lower: layers.Lower})
	must(t, err)
	must(t, graph.Differentiate(g, graph.GradOptions{}))
	u, err := graph.AddUpdate(g, update)
	must(t, err)
	dev, err := engine.Open("ref", engine.Config{})
	must(t, err)
	t.Cleanup(func() { must(t, dev.Close()) })
	p, err := plan.Compile(g, dev, o)
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	return g, p, u
}

// makerOf is the index of the step that writes the gradient of f's weights.
func makerOf(t *testing.T, g *graph.Graph, p *plan.Plan) int {
	t.Helper()
	for i, s := range p.Steps() {
		for _, v := range s.Out {
			if v == g.Params[2].Grad {
				return i
			}
		}
	}
	t.Fatal("nobody makes the gradient")
	return -1
}

// A large gradient is made last in the backward pass, or just before a step of that pass
// reads it, and the numbers are the same.
func TestLargeGradientsWait(t *testing.T) {
	for name, update := range map[string]graph.UpdateOptions{
		"plain": {Rule: engine.SGD, Momentum: 0.9}, "clip": {Rule: engine.SGD, Clip: true}, "accumulate": {Rule: engine.SGD, Accumulate: true},
	} {
		t.Run(name, func(t *testing.T) {
			g, p, u := broadPlan(t, update, plan.Options{})
			at := makerOf(t, g, p)
			for i, s := range p.Steps() {
				if _, ok := s.Op.(engine.ConvGradWeights); ok && i > at {
					t.Errorf("step %d makes the large gradient, the convolution's is step %d", at, i)
				}
			}
			next := p.Steps()[at+1]
			reads := len(next.In) > 0 && (next.In[0] == g.Params[2].Grad || next.In[len(next.In)-1] == g.Params[2].Grad)
			if next.Dir == graph.Backward && !reads {
				t.Errorf("the step behind it, %+v, is of the backward pass and does not read it", next.Op)
			}
			inOrder, q, w := broadPlan(t, update, plan.Options{NoReuse: true})
			if makerOf(t, inOrder, q) >= at {
				t.Error("without reuse it waits as long")
			}
			if got, want := train(t, g, p, u, 3), train(t, inOrder, q, w, 3); !reflect.DeepEqual(got, want) {
				t.Errorf("params and loss are %v, in the graph's order %v", got, want)
			}
			if m := p.Memory(); m.Activations >= q.Memory().Activations || m.Gradients < 4*64*128 {
				t.Errorf("%+v, without reuse %+v", m, q.Memory())
			}
		})
	}
}
