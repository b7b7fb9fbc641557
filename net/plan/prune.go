package plan

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// prune drops the steps that no kept value, param or state depends on, and the
// outputs that nobody reads.
func prune(p *program) error {
	needed := make([]bool, len(p.values))
	for v := range p.values {
		needed[v] = p.values[v].keep
	}
	for _, a := range p.assigns {
		needed[a.Value] = true
	}
	live := make([]bool, len(p.steps))
	for i := len(p.steps) - 1; i >= 0; i-- {
		s := p.steps[i]
		for _, v := range s.Out {
			live[i] = live[i] || needed[v]
		}
		if !live[i] {
			continue
		}
		for _, v := range s.In {
			needed[v] = true
		}
	}
	kept := p.steps[:0]
	for i, s := range p.steps {
		if !live[i] {
			continue
		}
		for j, v := range s.Out {
			// Output 0 is what an op is about: kernels always write it.
			if j > 0 && !needed[v] {
				s.Out[j] = graph.None
			} else if !needed[v] && canSkipFirst(s.Op) {
				s.Out[j] = graph.None
			}
		}
		kept = append(kept, s)
	}
	p.steps = kept
	return nil
}

// canSkipFirst names the ops whose outputs are equals, so that the first may be
// unread too.
func canSkipFirst(op engine.Op) bool {
	switch op.(type) {
	case engine.Slice, engine.PReLUGrad, engine.MaxGrad:
		return true
	}
	return false
}
