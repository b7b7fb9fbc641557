package graph

import (
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
)

// GradOptions says which gradients Differentiate makes.
type GradOptions struct {
	// Force makes the gradients of all values that a loss or a seed reaches,
	// not only those that lead to a param: force_backward.
	Force bool
	// SeedTops lets the caller feed the gradients of the net's outputs that are
	// no losses. Graph.Seeds tells which feeds those are.
	SeedTops bool
}

// Differentiate adds the backward part of the graph: for each node, last first,
// the rule of its op (grad.go). Param.Grad and Graph.Grads tell the results.
func Differentiate(g *Graph, o GradOptions) error {
	d := &differ{
		Builder: Builder{g: g, layer: -1, dir: Backward, custom: g.custom},
		parts:   map[Value][]Value{},
	}
	d.markNeeds(o.Force)
	if o.SeedTops {
		d.seedTops()
	}
	for _, l := range g.Losses {
		if !d.needs[l.Value] {
			continue
		}
		d.layer = l.Layer
		shape := g.Shape(l.Value)
		d.add(l.Value, d.Const(l.Weight, shape...))
	}
	for i := len(g.Nodes) - 1; i >= 0 && d.err == nil; i-- {
		if n := g.Nodes[i]; n.Dir == Forward && !n.NoGrad {
			d.node(n)
		}
	}
	d.layer = -1
	for i := range g.Params {
		p := &g.Params[i]
		d.layer = p.Layer
		if p.LRMult != 0 || o.Force {
			p.Grad = d.grad(p.Value)
		}
	}
	// Contributions to a feed are summed here: no node made it.
	for _, f := range g.Feeds {
		d.layer = f.Layer
		for _, v := range f.Values {
			d.grad(v)
		}
	}
	for v := range g.Values {
		if parts := d.parts[Value(v)]; len(parts) == 1 {
			g.Grads[Value(v)] = parts[0]
		}
	}
	return d.err
}

// differ is Differentiate's state.
type differ struct {
	Builder
	needs []bool            // by value: something below it wants a gradient
	parts map[Value][]Value // contributions to each value's gradient
}

// markNeeds finds the values on whose gradient a param's (or with force: any
// feed's) depends.
func (d *differ) markNeeds(force bool) {
	g := d.g
	d.needs = make([]bool, len(g.Values))
	for _, p := range g.Params {
		d.needs[p.Value] = p.LRMult != 0 || force
	}
	if force {
		for _, f := range g.Feeds {
			for _, v := range f.Values {
				d.needs[v] = f.Kind == FeedInput || f.Kind == FeedData || f.Kind == FeedFiller
			}
		}
	}
	for _, n := range g.Nodes {
		if n.NoGrad {
			continue
		}
		need := false
		for _, v := range n.In {
			need = need || d.needs[v]
		}
		for _, v := range n.Out {
			d.needs[v] = need
		}
	}
}

// seedTops makes a feed for the gradient of each output that is no loss and that
// has a gradient: Accuracy and ArgMax have none to ask for.
func (d *differ) seedTops() {
	g := d.g
	loss := map[Value]bool{}
	for _, l := range g.Losses {
		loss[l.Value] = true
	}
	for i, tops := range g.Tops {
		d.layer = i
		for j, v := range tops {
			if loss[v] || !d.needs[v] || !d.isOutput(i, j) || !d.hasGradient(v) {
				continue
			}
			seed := d.Feed(Feed{Kind: FeedInput}, g.Shape(v))[0]
			g.Values[seed].Name = "d(" + g.Values[v].Name + ")"
			g.Seeds[v] = seed
			d.add(v, seed)
		}
	}
}

// hasGradient reports whether the op that made v has a gradient.
func (d *differ) hasGradient(v Value) bool {
	i := d.g.Values[v].Node
	return i < 0 || d.custom[v] != nil || ruleOf(d.g.Nodes[i].Op) != nil
}

func (d *differ) isOutput(layer, top int) bool {
	names := d.g.Layers[layer].GetTop()
	if top >= len(names) {
		return false
	}
	for _, o := range d.g.Outputs {
		if o == names[top] {
			return true
		}
	}
	return false
}

// add contributes to the gradient of v.
func (d *differ) add(v, part Value) {
	if part != None {
		d.parts[v] = append(d.parts[v], part)
	}
}

// grad is the sum of v's contributions, None without any. The last contribution
// is made first in backward order, so the sum reads them in the net's order.
func (d *differ) grad(v Value) Value {
	parts := d.parts[v]
	switch len(parts) {
	case 0:
		return None
	case 1:
		return parts[0]
	}
	sum := d.Op(engine.Sum{}, parts...)
	if sum != None {
		d.g.Values[sum].Name = "d(" + d.g.Values[v].Name + ")"
	}
	d.parts[v] = []Value{sum}
	return sum
}

// node applies the rule of n's op if a gradient reaches it and someone wants it.
func (d *differ) node(n Node) {
	wanted := false
	for _, v := range n.In {
		wanted = wanted || d.needs[v]
	}
	if !wanted {
		return
	}
	d.layer = n.Layer
	dy := make([]Value, len(n.Out))
	reached := false
	for i, v := range n.Out {
		dy[i] = d.grad(v)
		reached = reached || dy[i] != None
	}
	if !reached {
		return
	}
	for i, part := range d.apply(n, dy) {
		if part != None && d.needs[n.In[i]] {
			if v := d.g.Values[part].Name; v[0] == '%' {
				d.g.Values[part].Name = "d(" + d.g.Values[n.In[i]].Name + ")"
			}
			d.add(n.In[i], part)
		}
	}
}

func (d *differ) apply(n Node, dy []Value) []Value {
	for _, v := range n.Out {
		if custom := d.custom[v]; custom != nil {
			return custom(&d.Builder, dy)
		}
	}
	rule := ruleOf(n.Op)
	if rule == nil {
		d.failOp(fmt.Errorf("has no gradient (%T), but a layer below it is to learn; set propagate_down: false or lr_mult: 0 there", n.Op))
		return nil
	}
	return rule(d, n, dy)
}
