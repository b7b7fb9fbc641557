package plan

import "github.com/gocaffe/gocaffe/net/graph"

// schedule puts off gradients of params that are much larger than what they are made of,
// as those of a fully connected layer are, to where they are read or to the end of the
// backward pass: by then most activations are dead, and the gradients lie where those lay.
// Everything else runs in the order in which the graph was written.
func schedule(p *program) error {
	if p.opts.NoReuse {
		return nil
	}
	grads := map[graph.Value]bool{}
	for _, prm := range p.g.Params {
		grads[prm.Grad] = prm.Grad != graph.None
	}
	end := len(p.steps)
	for end > 0 && p.steps[end-1].Dir > graph.Backward {
		end--
	}
	for i := end - 1; i >= 0; i-- {
		s := p.steps[i]
		if s.Dir != graph.Backward || !p.canWait(s, grads) {
			continue
		}
		to := i
		for to+1 < end && !p.readsFrom(p.steps[to+1], s) {
			to++
		}
		copy(p.steps[i:to], p.steps[i+1:to+1])
		p.steps[to] = s
	}
	return nil
}

// worthWaiting is how many times larger than its inputs a gradient has to be: these live
// longer, and are no longer in a cache when they are read.
const worthWaiting = 4

// canWait reports whether a step writes gradients of params alone, reads nothing that a
// step behind it could overwrite, and is worth putting off.
func (p *program) canWait(s *Step, grads map[graph.Value]bool) bool {
	var in, out int64
	for _, v := range s.Out {
		if v == graph.None {
			continue
		}
		root := p.values[v].root
		if _, stored := p.keys[root]; stored || !grads[v] {
			return false
		}
		out += p.bytes(p.desc(root))
	}
	for _, v := range s.In {
		root := p.values[v].root
		if _, stored := p.keys[root]; stored {
			return false
		}
		in += p.bytes(p.desc(root))
	}
	return out > worthWaiting*in
}

// readsFrom reports whether step s reads what maker writes.
func (p *program) readsFrom(s, maker *Step) bool {
	for _, v := range s.In {
		for _, made := range maker.Out {
			if made != graph.None && p.values[v].root == p.values[made].root {
				return true
			}
		}
	}
	return false
}
