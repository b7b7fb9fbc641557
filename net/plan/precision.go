package plan

import (
	"errors"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// precision decides, on a device opened for bf16, which values are BF16. It starts
// from the products (convolutions, matrix products): they want BF16 factors. A value
// that a product reads is stored so if the op that makes it can write it so; where that
// op is no product itself it then wants the same of what it reads. What no product
// asks for stays F32: losses, what leads to them, statistics, gradients of params, the
// update. Params and feeds are F32 too, and a step that wants them otherwise reads a
// conversion, made once for all its readers.
//
// The pass comes before fusion, which then finds every type decided and asks the device
// as it always does; conversions are joined with reorders when layouts are chosen.
func precision(p *program) error {
	if p.dev.Info().Precision != engine.PrecisionBF16 {
		return nil
	}
	n := &narrower{program: p, wanted: make([]bool, len(p.values)), makers: p.makers(), copies: map[typed]graph.Value{}}
	if err := n.demand(); err != nil {
		return err
	}
	for _, s := range p.steps {
		if err := n.settle(s); err != nil {
			return p.stepError(s, err)
		}
	}
	p.steps = n.out
	return nil
}

type narrower struct {
	*program
	wanted []bool // by value: BF16, as far as is known
	makers map[graph.Value]*Step
	copies map[typed]graph.Value
	out    []*Step
}

// typed names a conversion of a value.
type typed struct {
	v graph.Value
	t engine.DType
}

// makers is the step that makes each value.
func (p *program) makers() map[graph.Value]*Step {
	m := map[graph.Value]*Step{}
	for _, s := range p.steps {
		for _, v := range s.Out {
			if v != graph.None {
				m[v] = s
			}
		}
	}
	return m
}

// demand finds what the products want, and what follows from that.
func (n *narrower) demand() error {
	for _, s := range n.steps {
		if !engine.Multiplies(s.Op) {
			continue
		}
		in, _ := engine.Narrow(s.Op)
		able, err := n.able(s, in, 0)
		if err != nil {
			return n.stepError(s, err)
		}
		if able {
			if err := n.want(s, in); err != nil {
				return err
			}
		}
	}
	return nil
}

// want asks for the inputs of a step as BF16.
func (n *narrower) want(s *Step, in engine.Places) error {
	for i, v := range s.In {
		m := n.makers[v]
		if !in.Has(i) || m == nil || n.wanted[v] || n.desc(v).DType != engine.F32 {
			continue
		}
		mustIn, mayOut := engine.Narrow(m.Op)
		if !mayOut.Has(index(m.Out, v)) {
			continue
		}
		able, err := n.able(m, mustIn, mayOut)
		if err != nil {
			return n.stepError(m, err)
		}
		if !able {
			continue
		}
		n.wanted[v] = true
		if !engine.Multiplies(m.Op) { // a product is asked in its own right
			if err := n.want(m, mustIn); err != nil {
				return err
			}
		}
	}
	return nil
}

// able reports whether the device runs a step with BF16 at these places.
func (n *narrower) able(s *Step, in, out engine.Places) (bool, error) {
	if _, alias := s.Op.(engine.Reshape); alias {
		return true, nil
	}
	return n.runs(s.Op, narrowed(n.descs(s.In), in), narrowed(n.descs(s.Out), out))
}

func (n *narrower) runs(op engine.Op, in, out []engine.Desc) (bool, error) {
	pin, pout := n.prefer(op, in, out)
	_, err := n.prepare(op, pin, pout)
	if errors.Is(err, engine.ErrUnsupported) {
		return false, nil
	}
	return err == nil, err
}

// narrowed is the descriptors with F32 replaced by BF16 at the places.
func narrowed(ds []engine.Desc, at engine.Places) []engine.Desc {
	out := make([]engine.Desc, len(ds))
	for i, d := range ds {
		if d.DType == engine.F32 && at.Has(i) {
			d.DType = engine.BF16
		}
		out[i] = d
	}
	return out
}

// widened is the descriptors with BF16 replaced by F32.
func widened(ds []engine.Desc) []engine.Desc {
	out := make([]engine.Desc, len(ds))
	for i, d := range ds {
		if d.DType == engine.BF16 {
			d.DType = engine.F32
		}
		out[i] = d
	}
	return out
}

// settle enters a step with the types of its tensors: the first of a few ways that
// the device can run. Its inputs are settled, as their makers come before.
func (n *narrower) settle(s *Step) error {
	if _, alias := s.Op.(engine.Reshape); alias {
		n.values[s.Out[0]].Desc.DType = n.desc(s.In[0]).DType
		n.out = append(n.out, s)
		return nil
	}
	in, out := n.descs(s.In), n.descs(s.Out)
	for i, v := range s.Out {
		if v != graph.None && n.wanted[v] {
			out[i].DType = engine.BF16
		}
	}
	places, _ := engine.Narrow(s.Op)
	ways := [][2][]engine.Desc{{in, out}, {narrowed(in, places), out}, {narrowed(in, places), widened(out)}, {widened(in), widened(out)}}
	if engine.Multiplies(s.Op) {
		ways = ways[1:]
	}
	for _, w := range ways[:len(ways)-1] {
		able, err := n.runs(s.Op, w[0], w[1])
		if err != nil {
			return err
		}
		if able {
			return n.enter(s, w[0], w[1])
		}
	}
	// Whether F32 runs on the device or on the host is seen when layouts are chosen.
	last := ways[len(ways)-1]
	return n.enter(s, last[0], last[1])
}

// enter appends a step that reads and writes these types, behind the conversions that
// it needs.
func (n *narrower) enter(s *Step, in, out []engine.Desc) error {
	for i, v := range s.In {
		if n.desc(v).DType != in[i].DType {
			s.In[i] = n.converted(v, in[i].DType, s)
		}
	}
	for i, v := range s.Out {
		if v != graph.None {
			n.values[v].Desc.DType = out[i].DType
		}
	}
	n.out = append(n.out, s)
	return nil
}

// converted is v in another type.
func (n *narrower) converted(v graph.Value, to engine.DType, s *Step) graph.Value {
	key := typed{v, to}
	if c, ok := n.copies[key]; ok {
		return c
	}
	d := n.desc(v)
	d.DType = to
	c := n.add(n.values[v].Name+"@"+to.String(), d)
	n.out = append(n.out, &Step{Op: engine.Reorder{}, In: []graph.Value{v}, Out: []graph.Value{c}, Layer: s.Layer, Dir: s.Dir})
	n.copies[key] = c
	return c
}

func index(vs []graph.Value, v graph.Value) int {
	for i, w := range vs {
		if w == v {
			return i
		}
	}
	return -1
}
