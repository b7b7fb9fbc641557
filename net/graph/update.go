package graph

import (
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
)

// UpdateOptions is the solver's rule as the graph needs it.
type UpdateOptions struct {
	Rule                engine.UpdateRule
	Momentum, Momentum2 float32
	RMSDecay, Delta     float32
	WeightDecay         float32
	L1                  bool
	Clip                bool // compute the gradients' norm for clipping
	Accumulate          bool // iter_size > 1: gradients add up over runs of backward
	KeepStep            bool // leave the step in the gradient's place (snapshot_diff)
}

// Update is what AddUpdate made: the values that the solver reads and writes.
type Update struct {
	Hyper     Value   // engine.HyperSize entries, written before the update runs
	SumSq     Value   // Σ g² over all params; None without Clip
	Histories []Value // one a param in order, then the second ones, as Caffe stores them
	Steps     []Value // by param: the gradient's place, which KeepStep overwrites
	Sums      []Value // by param: where gradients add up; nil without Accumulate
}

// AddUpdate adds the solver's step for every param. A param without a gradient
// has gradient 0: its weight decay still works, as in Caffe.
func AddUpdate(g *Graph, o UpdateOptions) (*Update, error) {
	b := &Builder{g: g, layer: -1, dir: Backward}
	u := &Update{SumSq: None}
	u.Hyper = b.state("hyper", engine.HyperSize)
	n := len(g.Params)
	u.Histories = make([]Value, n*o.Rule.Histories())
	u.Steps = make([]Value, n)
	for i := range u.Histories {
		p := g.Params[i%n]
		u.Histories[i] = b.state(fmt.Sprintf("history%d(%s)", i/n, g.Values[p.Value].Name), g.Shape(p.Value)...)
	}
	if o.Accumulate {
		u.Sums = make([]Value, n)
	}
	grads := make([]Value, n)
	for i := range g.Params {
		grads[i] = b.stepGrad(i, u)
	}
	if o.Clip {
		b.norm(grads, u)
	}
	b.dir = ApplyUpdate
	for i, p := range g.Params {
		u.Steps[i] = grads[i]
		if grads[i] != None {
			b.layer = p.Layer
			b.update(i, grads[i], o, u)
		}
	}
	return u, b.err
}

func (b *Builder) state(name string, shape ...int) Value {
	return b.value(ValueInfo{Name: name, Desc: engine.Dense(shape...), Origin: FromState, Node: -1})
}

// stepGrad is the gradient that param i's update uses; None where the param
// never changes.
func (b *Builder) stepGrad(i int, u *Update) Value {
	p := b.g.Params[i]
	b.layer = p.Layer
	if p.LRMult == 0 {
		if u.Sums != nil {
			u.Sums[i] = None
		}
		return None
	}
	grad := p.Grad
	if grad == None {
		grad = b.Const(0, b.Shape(p.Value)...)
	}
	if u.Sums == nil {
		return grad
	}
	sum := b.state("sum("+b.g.Values[p.Value].Name+")", b.Shape(p.Value)...)
	u.Sums[i] = sum
	total := b.Op(engine.Sum{}, sum, grad)
	b.Assign(sum, total)
	return total
}

// norm adds Σ g² over all gradients.
func (b *Builder) norm(grads []Value, u *Update) {
	var parts []Value
	for i, g := range grads {
		if g != None {
			b.layer = b.g.Params[i].Layer
			parts = append(parts, b.Op(engine.Reduce{Fn: engine.ReduceSumSq, Coeff: 1}, g))
		}
	}
	b.layer = -1
	if len(parts) > 0 {
		u.SumSq = b.Op(engine.Sum{}, parts...)
	}
}

func (b *Builder) update(i int, grad Value, o UpdateOptions, u *Update) {
	p, n := b.g.Params[i], len(b.g.Params)
	op := engine.Update{
		Rule: o.Rule, Rate: p.LRMult, Decay: o.WeightDecay * p.DecayMult, L1: o.L1,
		Momentum: o.Momentum, Momentum2: o.Momentum2, RMSDecay: o.RMSDecay, Delta: o.Delta, KeepStep: o.KeepStep,
	}
	in := []Value{p.Value, grad}
	to := []Value{p.Value}
	for h := i; h < len(u.Histories); h += n {
		in, to = append(in, u.Histories[h]), append(to, u.Histories[h])
	}
	for j, v := range b.Ops(op, append(in, u.Hyper)...) {
		b.Assign(to[j], v)
	}
}
