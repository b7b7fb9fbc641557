package net

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// maxCompiled is how many sets of input shapes stay compiled. Pictures of ever
// new sizes would fill the memory otherwise.
const maxCompiled = 8

// compiled is the net for one set of input shapes.
type compiled struct {
	graph  *graph.Graph
	update *graph.Update // nil without Options.Update
	plan   *plan.Plan
	stage  map[graph.Value][]float32 // host memory of feeds that the device keeps elsewhere
	filled bool                      // constant DummyData tops are
	probes map[int]*probe            // by layer: what computes a selector alone
}

// use compiles a graph that was lowered for the present shapes and makes it the
// net's current one.
func (n *Net) use(g *graph.Graph) error {
	c, err := n.compile(g)
	if err != nil {
		return err
	}
	if err := c.clearInputs(); err != nil {
		return errors.Join(err, c.plan.Close())
	}
	if err := n.remember(c); err != nil {
		return err
	}
	return n.switchTo(c)
}

// compile adds gradients and update to a graph as the net's options say, and compiles it.
func (n *Net) compile(g *graph.Graph) (*compiled, error) {
	c := &compiled{graph: g, stage: map[graph.Value][]float32{}, probes: map[int]*probe{}}
	if n.o.Backward {
		o := graph.GradOptions{Force: n.o.ForceBackward, SeedTops: n.o.SeedTops}
		if err := graph.Differentiate(g, o); err != nil {
			return nil, err
		}
	}
	var err error
	if n.o.Update != nil {
		if c.update, err = graph.AddUpdate(g, *n.o.Update); err != nil {
			return nil, err
		}
	}
	keep, err := n.keep(c)
	if err != nil {
		return nil, err
	}
	c.plan, err = plan.Compile(g, n.o.Device, plan.Options{
		Keep: keep, NoFuse: n.o.NoFuse, NoReuse: n.o.NoReuse, Storage: n.storage, Owner: n.owner,
		Note: func(text string) { n.o.Log.Infof("gocaffe.go", 1, "%s", text) },
	})
	return c, err
}

// keep lists the values that callers may read.
func (n *Net) keep(c *compiled) ([]graph.Value, error) {
	g := c.graph
	var list []graph.Value
	add := func(v graph.Value) {
		if v != graph.None {
			list = append(list, v)
		}
	}
	for _, name := range g.Outputs {
		add(g.Blobs[name])
	}
	for _, s := range g.Sinks {
		for _, v := range s.Values {
			add(v)
		}
	}
	for _, name := range n.o.Keep {
		v, ok := g.Blobs[name]
		if !ok {
			return nil, unknownBlob(g, name)
		}
		add(v)
	}
	if n.o.KeepAll {
		for _, tops := range g.Tops {
			for _, v := range tops {
				add(v)
				if d, ok := g.Grads[v]; ok {
					add(d)
				}
			}
		}
	}
	if n.keepsDiffs() {
		for i := range g.Params {
			add(c.diff(i))
		}
	}
	if c.update != nil {
		add(c.update.SumSq)
	}
	return list, nil
}

// keepsDiffs reports whether the params' gradients can be read: where the plan
// also applies them, only if somebody asked.
func (n *Net) keepsDiffs() bool {
	return n.o.Backward && (n.o.Update == nil || n.o.Update.KeepStep || n.o.KeepAll)
}

// diff is the value of param i's gradient, None where it has none.
func (c *compiled) diff(i int) graph.Value {
	if c.update != nil {
		return c.update.Steps[i]
	}
	return c.graph.Params[i].Grad
}

// clearInputs makes inputs that nobody has set yet read as zeros, as in Caffe.
func (c *compiled) clearInputs() error {
	for _, f := range c.graph.Feeds {
		if f.Kind != graph.FeedInput {
			continue
		}
		for _, v := range f.Values {
			if err := c.plan.Feed(v, make([]float32, c.graph.Shape(v).Count())); err != nil {
				return err
			}
		}
	}
	return nil
}

// key names the shapes of all feeds, and what is selected.
func key(g *graph.Graph) string {
	var shapes []engine.Shape
	for _, f := range g.Feeds {
		if f.Kind == graph.FeedData || f.Kind == graph.FeedInput {
			for _, v := range f.Values {
				shapes = append(shapes, g.Shape(v))
			}
		}
	}
	var counts []int
	for _, s := range g.Selections {
		counts = append(counts, s.Count)
	}
	return fmt.Sprint(shapes, counts)
}

// remember keeps c for its shapes and drops what was not used for longest.
func (n *Net) remember(c *compiled) error {
	if len(n.recent) == maxCompiled {
		oldest := n.recent[0]
		if err := n.compiled[oldest].close(); err != nil {
			return err
		}
		delete(n.compiled, oldest)
		n.recent = n.recent[1:]
	}
	n.compiled[key(c.graph)] = c
	return nil
}

// switchTo makes c current; inputs whose shape is the same keep their data.
func (n *Net) switchTo(c *compiled) error {
	old := n.now
	n.now = c
	k := key(c.graph)
	n.recent = append(slices.DeleteFunc(n.recent, func(r string) bool { return r == k }), k)
	if old == nil || old == c {
		return nil
	}
	for name, from := range old.inputs() {
		to, ok := c.inputs()[name]
		if !ok || !c.graph.Shape(to).Equal(old.graph.Shape(from)) {
			continue
		}
		data := make([]float32, c.graph.Shape(to).Count())
		if err := errors.Join(old.plan.Fetch(from, data), c.plan.Feed(to, data)); err != nil {
			return err
		}
	}
	return nil
}

// inputs are the feeds that the caller sets, by blob.
func (c *compiled) inputs() map[string]graph.Value {
	in := map[string]graph.Value{}
	for _, f := range c.graph.Feeds {
		if f.Kind != graph.FeedInput || c.isSeed(f.Values[0]) {
			continue
		}
		for i, v := range f.Values {
			in[c.graph.Layers[f.Layer].GetTop()[i]] = v
		}
	}
	return in
}

func (c *compiled) isSeed(v graph.Value) bool {
	for _, s := range c.graph.Seeds {
		if s == v {
			return true
		}
	}
	return false
}

// reshape lowers and compiles for the present shapes unless that was done
// before. The shapes are those of data sources and of SetInputShape.
func (n *Net) reshape() error {
	g, err := n.build(n.spec.Layers)
	if err != nil {
		return err
	}
	if c, ok := n.compiled[key(g)]; ok {
		return n.switchTo(c)
	}
	return n.use(g)
}
