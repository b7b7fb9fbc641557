package plan_test

import (
	"math/rand"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// TestRunAllocatesNothing: an iteration of training leaves nothing to Go's garbage
// collector where the device runs all steps.
func TestRunAllocatesNothing(t *testing.T) {
	dev := enginetest.Devices(t)["cpu"]
	if dev == nil {
		t.Skip("no engine cpu here; ref's loops allocate")
	}
	text := randomNet(rand.New(rand.NewSource(3))) + `
layer { name: "n" type: "BatchNorm" bottom: "x" top: "n" }
layer { name: "p" type: "Pooling" bottom: "n" top: "p" pooling_param { kernel_size: 3 } }
layer { name: "lrn" type: "LRN" bottom: "p" top: "lrn" loss_weight: 1 }`
	g, err := graph.Build(resolve(t, text), graph.Options{Lower: layers.Lower})
	must(t, err)
	must(t, graph.Differentiate(g, graph.GradOptions{}))
	u, err := graph.AddUpdate(g, graph.UpdateOptions{Rule: engine.SGD, Momentum: 0.9})
	must(t, err)
	p, err := plan.Compile(g, dev, plan.Options{})
	must(t, err)
	defer p.Close()
	for _, s := range p.Steps() {
		if s.OnHost() {
			t.Fatalf("%T runs on the host", s.Op)
		}
	}
	hyper := []float32{1e-3, 1, 1, 1}
	data := p.FeedBuffer(g.Feeds[0].Values[0])
	n := testing.AllocsPerRun(20, func() {
		must(t, p.Store(u.Hyper, hyper))
		data[0]++
		must(t, p.Run(graph.Forward, graph.Backward, graph.ApplyUpdate))
	})
	if n != 0 {
		t.Errorf("an iteration of %d steps allocates %g times", len(p.Steps()), n)
	}
}
