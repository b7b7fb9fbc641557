package plan

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// derive marks the steps whose results depend on params alone: copies of params (and of
// states) in another layout or type, and whatever is computed from params that the plan
// does not change, in a net that does not learn its BatchNorm's statistics and the
// folded weights. They run when a param has changed since they ran last, which Storage
// counts.
func derive(p *program) error {
	constant := p.constants()
	for _, s := range p.steps {
		if p.constantStep(s, constant) {
			s.derives, s.early = true, s.Dir == graph.Forward
		}
	}
	return nil
}

// constants marks, by value, the params that the plan assigns nothing to and what
// constant steps make of them.
func (p *program) constants() []bool {
	constant := make([]bool, len(p.values))
	for v := range p.values {
		constant[v] = p.values[p.values[v].root].Origin == graph.FromParam
	}
	for _, a := range p.assigns {
		for v := range p.values {
			if p.values[v].root == a.To {
				constant[v] = false
			}
		}
	}
	for _, s := range p.steps {
		if !p.constantStep(s, constant) {
			continue
		}
		for _, v := range s.Out {
			if v != graph.None {
				constant[v] = true
			}
		}
	}
	for v := range p.values {
		constant[v] = constant[v] || constant[p.values[v].root]
	}
	return constant
}

// constantStep reports whether a step reads constants only, and no param lies where it
// writes.
func (p *program) constantStep(s *Step, constant []bool) bool {
	for _, v := range s.Out {
		if v == graph.None {
			continue
		}
		if _, stored := p.keys[p.values[v].root]; stored {
			_, alias := s.Op.(engine.Reshape)
			return alias && constant[s.In[0]]
		}
	}
	for _, v := range s.In {
		if !constant[v] {
			return false
		}
	}
	return len(s.In) > 0
}

// lasting marks, by root, the derived values that must outlive a run: those that a step
// reads which runs each time, or in another direction, and kept ones. What derived steps
// of one direction alone read is gone when they have run, as they run together.
func (p *program) lasting() map[graph.Value]bool {
	made := map[graph.Value]*Step{}
	lasting := map[graph.Value]bool{}
	for _, s := range p.steps {
		for _, v := range s.In {
			if m := made[p.values[v].root]; m != nil && (!s.derives || s.Dir != m.Dir) {
				lasting[p.values[v].root] = true
			}
		}
		for _, v := range s.Out {
			if v != graph.None && s.derives {
				made[p.values[v].root] = s
			}
		}
	}
	for v := range p.values {
		if root := p.values[v].root; p.values[v].keep && made[root] != nil {
			lasting[root] = true
		}
	}
	return lasting
}

// bindSources gives each derived step the params and states whose versions decide
// whether it runs. Steps that read one another's results have all that any of them
// depends on: they run together or not at all.
func (p *Plan) bindSources() {
	group := map[graph.Value]*sources{} // by root of a derived value
	for _, s := range p.steps {
		if !s.derives {
			continue
		}
		own := &sources{}
		for _, v := range s.In {
			if e := p.entryOf(v); e != nil {
				own.add(e)
			} else if g := group[p.values[v].root]; g != nil {
				own = own.join(g.last())
			}
		}
		s.sources = own
		for _, v := range s.Out {
			if v != graph.None {
				group[p.values[v].root] = own
			}
		}
	}
	for _, s := range p.steps {
		if s.derives {
			s.sources = s.sources.last()
			s.seen = make([]int, len(s.sources.list))
		}
	}
}

// sources are what a group of derived steps depends on.
type sources struct {
	list []*entry
	into *sources // the group that this one was joined to
}

func (s *sources) add(e *entry) {
	for _, had := range s.list {
		if had == e {
			return
		}
	}
	s.list = append(s.list, e)
}

// last is the group that s is part of by now.
func (s *sources) last() *sources {
	for s.into != nil {
		s = s.into
	}
	return s
}

// join makes s part of g and gives g.
func (s *sources) join(g *sources) *sources {
	if s == g {
		return g
	}
	for _, e := range s.list {
		g.add(e)
	}
	s.into = g
	return g
}

// fresh reports whether the step has seen the present versions of its params.
func (s *Step) fresh() bool {
	if s.sources == nil {
		return false
	}
	for i, e := range s.sources.list {
		if s.seen[i] != e.version {
			return false
		}
	}
	return true
}

// changed notes what a launch of the step has read and written.
func (s *Step) changed() {
	if s.sources != nil {
		for i, e := range s.sources.list {
			s.seen[i] = e.version
		}
	}
	for _, e := range s.writes {
		e.version++
	}
}

// forget makes all that is derived from params anew: a run that failed may have left some undone.
func (p *Plan) forget() {
	for _, s := range p.steps {
		clear(s.seen)
	}
}
