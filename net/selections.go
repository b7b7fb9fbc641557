package net

import (
	"errors"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// A Filter layer's tops have as many items as its selector has entries that are
// not 0. That decides the shapes of all behind it, so it must be known before the
// plan runs: what the selector depends on is computed first, on its own, and the
// net is lowered again where the number is new.

// follow makes the net's shapes those that a selection asks for. The first fed
// feeds have been written.
func (n *Net) follow(s graph.Selection, fed int) error {
	count, err := n.count(s)
	if err != nil || count == s.Count {
		return err
	}
	n.selected[n.spec.Layers[s.Layer]] = count
	old := n.now
	if err := n.reshape(); err != nil {
		return err
	}
	return copyFeeds(n.now.plan, n.now.graph.Feeds[:fed], old, func(f graph.Feed) bool { return f.Kind != graph.FeedInput })
}

// copyFeeds writes to p's feeds what those of old have.
func copyFeeds(p *plan.Plan, feeds []graph.Feed, old *compiled, which func(graph.Feed) bool) error {
	for i, f := range feeds {
		if !which(f) {
			continue
		}
		for j, v := range f.Values {
			from := old.graph.Feeds[i].Values[j]
			data := make([]float32, old.graph.Shape(from).Count())
			if err := errors.Join(old.plan.Fetch(from, data), p.Feed(v, data)); err != nil {
				return err
			}
		}
	}
	return nil
}

// count is how many items a selection takes now.
func (n *Net) count(s graph.Selection) (int, error) {
	g := n.now.graph
	data := make([]float32, g.Shape(s.Selector).Count())
	err := error(nil)
	if v := aliased(g, s.Selector); g.Values[v].Origin == graph.FromFeed {
		err = n.now.plan.Fetch(v, data)
	} else {
		err = n.probe(s, data)
	}
	count := 0
	for _, v := range data {
		if v != 0 {
			count++
		}
	}
	return count, err
}

// aliased is the value that v is another name or shape of.
func aliased(g *graph.Graph, v graph.Value) graph.Value {
	for g.Values[v].Origin == graph.FromOp {
		node := g.Nodes[g.Values[v].Node]
		if _, alias := node.Op.(engine.Reshape); !alias {
			break
		}
		v = node.In[0]
	}
	return v
}

// probe computes a selector alone, from the feeds that are written. It changes
// no param and no state.
func (n *Net) probe(s graph.Selection, dst []float32) error {
	p, ok := n.now.probes[s.Layer]
	if !ok {
		var err error
		if p, err = n.newProbe(s); err != nil {
			return err
		}
		n.now.probes[s.Layer] = p
	}
	if err := copyFeeds(p.plan, p.graph.Feeds, n.now, func(graph.Feed) bool { return true }); err != nil {
		return err
	}
	if err := p.plan.Run(graph.Forward); err != nil {
		return err
	}
	return p.plan.Fetch(p.selector, dst)
}

// probe is a net up to a selector.
type probe struct {
	graph    *graph.Graph
	plan     *plan.Plan
	selector graph.Value
}

func (n *Net) newProbe(s graph.Selection) (*probe, error) {
	g, err := n.build(n.spec.Layers[:s.Layer+1])
	if err != nil {
		return nil, err
	}
	// The layer itself is the last, and its selector may be a value inside of it.
	p := &probe{graph: g, selector: g.Selections[len(g.Selections)-1].Selector}
	g.Assigns, g.Loss = nil, graph.None
	p.plan, err = plan.Compile(g, n.o.Device, plan.Options{
		Keep: []graph.Value{p.selector}, NoFuse: n.o.NoFuse, NoReuse: n.o.NoReuse, Storage: n.storage, Owner: n.owner,
	})
	return p, err
}

// close gives back the memory of a set of shapes.
func (c *compiled) close() error {
	errs := []error{c.plan.Close()}
	for _, p := range c.probes {
		errs = append(errs, p.plan.Close())
	}
	return errors.Join(errs...)
}
