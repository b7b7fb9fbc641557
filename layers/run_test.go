package layers_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// running is a net of buildText on a device: all blobs and gradients can be read,
// and the gradients of its outputs are the caller's to set.
type running struct {
	t *testing.T
	g *graph.Graph
	p *plan.Plan
}

func runText(t *testing.T, dev engine.Device, o plan.Options, shapes []string, text string) *running {
	t.Helper()
	g, err := buildText(t, caffepb.Phase_TRAIN, shapes, text)
	check(t, err)
	check(t, graph.Differentiate(g, graph.GradOptions{Force: true, SeedTops: true}))
	check(t, g.Verify())
	for _, v := range g.Blobs {
		o.Keep = append(o.Keep, v)
		if d, ok := g.Grads[v]; ok {
			o.Keep = append(o.Keep, d)
		}
	}
	for _, p := range g.Params {
		if p.Grad != graph.None {
			o.Keep = append(o.Keep, p.Grad)
		}
	}
	p, err := plan.Compile(g, dev, o)
	check(t, err)
	t.Cleanup(func() { check(t, p.Close()) })
	return &running{t: t, g: g, p: p}
}

func (r *running) set(name string, data []float32) {
	r.t.Helper()
	check(r.t, r.p.Feed(blob(r.t, r.g, name), data))
}

// seed sets the gradient of an output.
func (r *running) seed(name string, data []float32) {
	r.t.Helper()
	v, ok := r.g.Seeds[blob(r.t, r.g, name)]
	if !ok {
		r.t.Fatalf("%s takes no gradient", name)
	}
	check(r.t, r.p.Feed(v, data))
}

// run runs both passes, one after the other as iter_size does.
func (r *running) run() {
	r.t.Helper()
	check(r.t, r.p.Run(graph.Forward))
	check(r.t, r.p.Run(graph.Backward))
}

func (r *running) read(v graph.Value) []float32 {
	r.t.Helper()
	return fetch(r.t, r.g, r.p, v).Data
}

func (r *running) blob(name string) []float32 {
	r.t.Helper()
	return r.read(blob(r.t, r.g, name))
}

// diff is a blob's gradient, nil where none reaches it.
func (r *running) diff(name string) []float32 {
	r.t.Helper()
	v, ok := r.g.Grads[blob(r.t, r.g, name)]
	if !ok {
		return nil
	}
	return r.read(v)
}

// setParams gives each param numbers that are the same for the same shapes.
func (r *running) setParams() {
	r.t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, p := range r.g.Params {
		check(r.t, r.p.Store(p.Value, uniform(rng, r.g.Shape(p.Value).Count())))
	}
}

// uniform are n numbers in [−½, ½).
func uniform(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = rng.Float32() - 0.5
	}
	return x
}
