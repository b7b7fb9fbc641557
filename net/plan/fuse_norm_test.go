package plan_test

import (
	"fmt"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	_ "github.com/gocaffe/gocaffe/engine/ref"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

const normNet = `
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "n" type: "BatchNorm" bottom: "c" top: "n" }
layer { name: "s" type: "Scale" bottom: "n" top: "s" scale_param { bias_term: true } }
layer { name: "r" type: "ReLU" bottom: "s" top: "r" loss_weight: 1 }
`

// ops counts the steps of a trained net by op.
func ops(t *testing.T, text string, keep ...string) map[string]int {
	t.Helper()
	g, err := graph.Build(resolve(t, text), graph.Options{Lower: layers.Lower})
	must(t, err)
	must(t, graph.Differentiate(g, graph.GradOptions{}))
	_, err = graph.AddUpdate(g, graph.UpdateOptions{Rule: engine.SGD})
	must(t, err)
	dev, err := engine.Open("ref", engine.Config{})
	must(t, err)
	defer dev.Close()
	o := plan.Options{}
	for _, name := range keep {
		o.Keep = append(o.Keep, g.Blobs[name])
	}
	p, err := plan.Compile(g, dev, o)
	must(t, err)
	defer p.Close()
	n := map[string]int{}
	for _, s := range p.Steps() {
		n[fmt.Sprintf("%T", s.Op)]++
	}
	return n
}

// BatchNorm, Scale and ReLU are one step forward and one backward; with the normalised
// values or the sum before the ReLU kept they cannot be.
func TestNormsFuse(t *testing.T) {
	for _, c := range []struct {
		keep                    []string
		norm, fused, relu, grad int
	}{
		{nil, 0, 1, 0, 1},
		{[]string{"s"}, 0, 1, 1, 1},
		{[]string{"n"}, 1, 0, 1, 0},
	} {
		n := ops(t, normNet, c.keep...)
		if n["engine.BatchNorm"] != c.norm || n["engine.BatchNormScale"] != c.fused || n["engine.Unary"] != c.relu ||
			n["engine.BatchNormScaleGrad"] != c.grad || (c.norm > 0) != (n["engine.Broadcast"] > 0) || n["engine.UnaryGrad"] != c.norm {
			t.Errorf("keeping %v: steps are %v", c.keep, n)
		}
	}
}
