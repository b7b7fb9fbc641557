package plan

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// assign makes each assigned value end up in its param or state: written there
// by its op where that is sound, else copied there at the end of the direction.
func assign(p *program) error {
	var copies []*Step
	for _, a := range p.assigns {
		i := p.makerOf(a.Value)
		if i < 0 {
			continue // pruned with everything that led to it
		}
		s := p.steps[i]
		if p.writesOver(s, a) && !p.readLater(a.To, i) {
			p.values[a.Value].root = a.To
			continue
		}
		kernel, err := p.prepare(engine.Reorder{}, []engine.Desc{p.desc(a.Value)}, []engine.Desc{p.desc(a.To)})
		if err != nil {
			return p.stepError(s, err)
		}
		copies = append(copies, &Step{
			Op: engine.Reorder{}, In: []graph.Value{a.Value}, Out: []graph.Value{a.To}, Layer: s.Layer, Dir: s.Dir, kernel: kernel,
		})
	}
	for _, c := range copies {
		p.insertAtEnd(c)
	}
	return nil
}

func (p *program) makerOf(v graph.Value) int {
	for i, s := range p.steps {
		for _, o := range s.Out {
			if o == v {
				return i
			}
		}
	}
	return -1
}

// writesOver reports whether the op writes the assigned output over the param's
// old value, in the param's layout.
func (p *program) writesOver(s *Step, a graph.Assign) bool {
	if !p.desc(a.Value).Equal(p.desc(a.To)) || s.host != nil {
		return false
	}
	switch op := s.Op.(type) {
	case engine.Overwriter:
		for j, i := range op.Overwrites() {
			if j < len(s.Out) && s.Out[j] == a.Value {
				return s.In[i] == a.To
			}
		}
	case engine.InPlacer:
		i := op.InPlace()
		return i >= 0 && s.Out[0] == a.Value && s.In[i] == a.To
	}
	return false
}

// readLater reports whether a later step of the same run reads the old value.
func (p *program) readLater(v graph.Value, after int) bool {
	for _, s := range p.steps[after+1:] {
		for _, in := range s.In {
			if p.values[in].root == v {
				return true
			}
		}
	}
	return false
}

// insertAtEnd puts a step behind the last one of its direction.
func (p *program) insertAtEnd(s *Step) {
	at := len(p.steps)
	for at > 0 && p.steps[at-1].Dir > s.Dir {
		at--
	}
	p.steps = append(p.steps[:at], append([]*Step{s}, p.steps[at:]...)...)
}
