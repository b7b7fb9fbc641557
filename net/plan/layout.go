package plan

import (
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/ref"
	"github.com/gocaffe/gocaffe/net/graph"
)

// layout walks the steps in order and lets the device choose: each op gets its
// inputs in the layouts that it prefers, through reorders where they lie
// otherwise, and its outputs lie as it writes them. A param takes the layout of
// its first reader and keeps it, in every plan of the storage. Then the kernel
// is prepared, plain or on the host where the device can do no better.
func layout(p *program) error {
	l := &layouter{program: p, copies: map[copyKey]graph.Value{}, casts: map[graph.Value]graph.Value{}}
	l.restoreLayouts()
	for _, s := range p.steps {
		if err := l.step(s); err != nil {
			return p.stepError(s, err)
		}
	}
	p.steps = l.out
	return nil
}

func (p *program) stepError(s *Step, err error) error {
	if s.Layer < 0 {
		return err
	}
	return p.g.Layers[s.Layer].Errorf("%w", err)
}

// copyKey names a copy of a value in another layout or type.
type copyKey struct {
	v      graph.Value
	dtype  engine.DType
	layout engine.Layout
	shape  string
}

type layouter struct {
	*program
	copies map[copyKey]graph.Value
	casts  map[graph.Value]graph.Value // what each conversion converts
	out    []*Step
}

// restoreLayouts takes over the layouts that params and states already have.
func (l *layouter) restoreLayouts() {
	for v, key := range l.keys {
		if e, ok := l.storage.entries[key]; ok && e.desc.Shape.Equal(l.values[v].Desc.Shape) {
			l.values[v].Desc.Layout = e.desc.Layout
			l.values[v].decided = true
		}
	}
}

func (l *layouter) step(s *Step) error {
	switch s.Op.(type) {
	case engine.Reshape:
		return l.alias(s)
	case engine.Reorder:
		l.cast(s.Out[0], s.In[0])
		return nil
	}
	l.matchUpdate(s)
	l.fixConverted(s)
	in, out := l.descs(s.In), l.descs(s.Out)
	pin, pout := l.prefer(s.Op, in, l.hint(s, out))
	l.decide(s, pin)
	kernel, err := l.prepare(s.Op, pin, pout)
	if unsupported(err) {
		pin, pout = plain(in), plain(out)
		if kernel, err = l.prepare(s.Op, pin, pout); unsupported(err) {
			return l.onHost(s, err)
		}
	}
	if err != nil {
		return err
	}
	s.kernel = kernel
	return l.place(s, pin, pout)
}

// place enters the step with its inputs in the layouts pin.
func (l *layouter) place(s *Step, pin, pout []engine.Desc) error {
	for i, v := range s.In {
		c, err := l.inLayout(v, pin[i].Layout, s)
		if err != nil {
			return err
		}
		s.In[i] = c
	}
	for i, v := range s.Out {
		if v != graph.None {
			l.values[v].Desc.Layout = pout[i].Layout
			l.values[v].decided = true
		}
	}
	l.out = append(l.out, s)
	return nil
}

// cast remembers that c is v in another type. The conversion is made when a step asks
// for it, together with the reorder to the layout that the step wants.
func (l *layouter) cast(c, v graph.Value) {
	l.casts[c] = v
	l.values[c].Desc.Layout = l.desc(v).Layout
	l.values[c].decided = true
}

// fixConverted gives a param that is first read through a conversion the layout that
// it would have without: its gradient is written there, and updated.
func (l *layouter) fixConverted(s *Step) {
	for i, v := range s.In {
		from, ok := l.casts[v]
		if !ok {
			continue
		}
		if _, stored := l.keys[from]; stored && !l.values[from].decided {
			pin, _ := l.prefer(s.Op, widened(l.descs(s.In)), widened(l.descs(s.Out)))
			l.fix(from, pin[i].Layout)
		}
		l.values[v].Desc.Layout = l.desc(from).Layout
	}
}

// alias makes the output of a reshape another name of its input. Only a change
// of shape needs the plain layout.
func (l *layouter) alias(s *Step) error {
	from, to := s.In[0], s.Out[0]
	if !l.desc(from).Shape.Equal(l.desc(to).Shape) {
		l.fix(from, engine.Plain)
		c, err := l.inLayout(from, engine.Plain, s)
		if err != nil {
			return err
		}
		from = c
	}
	l.values[to].root = l.values[from].root
	l.values[to].Desc.Layout = l.values[from].Desc.Layout
	l.values[to].decided = true
	return nil
}

// hint tells the device of an output that is a param's gradient where the param
// lies: written there at once it needs no reorder before the update.
func (l *layouter) hint(s *Step, out []engine.Desc) []engine.Desc {
	for i, v := range s.Out {
		for _, prm := range l.g.Params {
			if v != graph.None && prm.Grad == v && l.values[prm.Value].decided {
				out[i].Layout = l.values[prm.Value].Desc.Layout
			}
		}
	}
	return out
}

// decide fixes the layout of params that nobody has read before.
func (l *layouter) decide(s *Step, pin []engine.Desc) {
	for i, v := range s.In {
		l.fix(v, pin[i].Layout)
	}
}

func (l *layouter) fix(v graph.Value, to engine.Layout) {
	root := l.values[v].root
	if _, stored := l.keys[root]; stored && !l.values[root].decided && v == root {
		l.values[root].Desc.Layout = to
		l.values[root].decided = true
	}
}

// matchUpdate gives the tensors of an update the param's layout: the update is
// elementwise over memory.
func (l *layouter) matchUpdate(s *Step) {
	var like graph.Value
	switch s.Op.(type) {
	case engine.Update:
		like = s.In[0]
	case engine.Sum:
		// An accumulator of gradients lies like the gradient.
		if _, stored := l.keys[s.In[0]]; !stored || len(s.In) != 2 {
			return
		}
		like = s.In[1]
	default:
		return
	}
	to := l.desc(like).Layout
	for _, v := range s.In {
		if l.desc(v).Shape.Equal(l.desc(like).Shape) {
			l.fix(v, to)
		}
	}
}

// inLayout is v in the wanted layout: itself, or a copy that a reorder makes, which
// also converts where v is a conversion of another value.
func (l *layouter) inLayout(v graph.Value, want engine.Layout, s *Step) (graph.Value, error) {
	to := l.desc(v)
	to.Layout = want
	if source, ok := l.casts[v]; ok {
		v = source
	}
	from := l.desc(v)
	if from.Equal(to) {
		return v, nil
	}
	key := copyKey{v: l.values[v].root, dtype: to.DType, layout: want, shape: from.Shape.String()}
	if c, ok := l.copies[key]; ok {
		return c, nil
	}
	kernel, err := l.prepare(engine.Reorder{}, []engine.Desc{from}, []engine.Desc{to})
	if err != nil {
		return graph.None, err
	}
	name := fmt.Sprintf("%s@%s", l.values[v].Name, l.layoutName(want))
	if to.DType != from.DType {
		name += "." + to.DType.String()
	}
	c := l.add(name, to)
	l.values[c].decided = true
	_, stored := l.keys[l.values[v].root]
	l.out = append(l.out, &Step{
		Op: engine.Reorder{}, In: []graph.Value{v}, Out: []graph.Value{c}, Layer: s.Layer, Dir: s.Dir, kernel: kernel, derives: stored,
	})
	l.copies[key] = c
	return c, nil
}

func (p *program) layoutName(l engine.Layout) string {
	if l == engine.Plain {
		return "plain"
	}
	if d, ok := p.dev.(engine.Layouter); ok {
		return d.LayoutName(l)
	}
	return fmt.Sprint(l)
}

// onHost prepares the step on the host and says so once an op.
func (l *layouter) onHost(s *Step, why error) error {
	pin, pout := plain(l.descs(s.In)), plain(l.descs(s.Out))
	k, err := ref.Prepare(s.Op, pin, pout)
	if err != nil {
		return err
	}
	runner, ok := k.(ref.Runner)
	if !ok {
		return why
	}
	if name := fmt.Sprintf("%T", s.Op); !l.noted[name] && l.opts.Note != nil {
		l.noted[name] = true
		l.opts.Note(fmt.Sprintf("%v; it runs on the host", why))
	}
	s.host = runner
	return l.place(s, pin, pout)
}

// plain drops the layouts.
func plain(ds []engine.Desc) []engine.Desc {
	out := make([]engine.Desc, len(ds))
	for i, d := range ds {
		d.Layout = engine.Plain
		out[i] = d
	}
	return out
}
