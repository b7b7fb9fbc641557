package plan

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// join makes one step of the updates of all params, where the device has that: on a GPU
// a launch costs more than the update of a small param. It comes when layouts and memory of
// the params are decided, as the joined op takes each as it is.
func join(p *program) error {
	if p.opts.NoFuse {
		return nil
	}
	var steps []*Step
	var ops []engine.Update
	for _, s := range p.steps {
		if op, ok := s.Op.(engine.Update); ok && s.host == nil {
			steps, ops = append(steps, s), append(ops, op)
		}
	}
	all, ok := engine.JoinUpdates(ops)
	if !ok || len(steps) < 2 || !p.mayWait(steps) {
		return nil
	}
	joined := &Step{Op: all, Layer: -1, Dir: steps[0].Dir}
	kinds := len(steps[0].In) - 1
	for k := range kinds {
		for _, s := range steps {
			joined.In = append(joined.In, s.In[k])
		}
	}
	joined.In = append(joined.In, steps[0].In[kinds])
	for k := range steps[0].Out {
		for _, s := range steps {
			joined.Out = append(joined.Out, s.Out[k])
		}
	}
	kernel, err := p.prepare(all, p.descs(joined.In), p.descs(joined.Out))
	if unsupported(err) {
		return nil
	}
	if err != nil {
		return err
	}
	joined.kernel = kernel
	p.replace(steps, joined)
	return nil
}

// mayWait reports whether all steps may run where the last of them does: nothing between
// them looks at what they write.
func (p *program) mayWait(steps []*Step) bool {
	written := map[graph.Value]bool{}
	next := 0
	for _, s := range p.steps {
		if next < len(steps) && s == steps[next] {
			next++
			for _, v := range append(clip(s.Out), s.In...) { // an Update may keep its step in g's place
				if v != graph.None {
					written[p.values[v].root] = true
				}
			}
			delete(written, p.values[s.In[len(s.In)-1]].root) // hyper
			continue
		}
		for _, v := range append(clip(s.In), s.Out...) {
			if next > 0 && next < len(steps) && v != graph.None && written[p.values[v].root] {
				return false
			}
		}
	}
	return true
}

// replace puts one step where the last of several was.
func (p *program) replace(old []*Step, by *Step) {
	gone := map[*Step]bool{}
	for _, s := range old {
		gone[s] = true
	}
	for i, s := range p.steps {
		switch {
		case s == old[len(old)-1]:
			p.steps[i] = by
		case gone[s]:
			p.steps[i] = nil
		}
	}
	p.dropNil()
}
