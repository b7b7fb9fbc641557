package plan

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// parts removes the copies of Concat and Slice where the parts lie one behind the other
// in the whole: one picture whose channels are joined, or whole items. What makes a part
// then writes it in place, what reads it reads it there. Kernels for parts that do not lie
// so, as channels of more than one picture, would have to know the whole's strides, and
// oneDNN's fast ones do not.
func parts(p *program) error {
	if p.opts.NoReuse {
		return nil
	}
	derived := map[graph.Value]bool{}
	for i, s := range p.steps {
		if s.derives {
			for _, v := range s.Out {
				derived[v] = true
			}
			continue
		}
		done := false
		switch op := s.Op.(type) {
		case engine.Concat:
			done = p.joins(s.Out[0], s.In, op.Axis, derived)
		case engine.Slice:
			done = p.cuts(s.In[0], s.Out, op)
		}
		if done {
			p.steps[i] = nil
		}
	}
	p.dropNil()
	return nil
}

// joins lays the tensors in into their whole. Each must be an op's, alone in its memory,
// and there once.
func (p *program) joins(whole graph.Value, in []graph.Value, axis int, derived map[graph.Value]bool) bool {
	if !p.contiguous(p.desc(whole), axis) || !p.fromOp(whole) {
		return false
	}
	seen := map[graph.Value]bool{whole: true}
	var at []int64
	var end int64
	for _, v := range in {
		root := p.values[v].root
		if !p.fromOp(root) || derived[v] || derived[root] || seen[root] || p.bytes(p.desc(root)) != p.bytes(p.desc(v)) ||
			p.desc(v).Layout != p.desc(whole).Layout || end%engine.Align != 0 {
			return false
		}
		seen[root] = true
		at = append(at, end)
		end += p.bytes(p.desc(v))
	}
	for i, v := range in {
		p.moveInto(p.values[v].root, whole, at[i])
	}
	return true
}

// cuts makes the tensors out parts of their whole.
func (p *program) cuts(whole graph.Value, out []graph.Value, op engine.Slice) bool {
	root := p.values[whole].root
	if _, stored := p.keys[root]; stored || !p.contiguous(p.desc(whole), op.Axis) {
		return false
	}
	sizes := op.Sizes.List()
	at := make([]int64, len(out))
	end := p.values[whole].at
	for i, v := range out {
		at[i] = end
		d := p.desc(whole)
		d.Shape = d.Shape.Clone()
		d.Shape[op.Axis] = sizes[i]
		end += p.bytes(d)
		if v != graph.None && (p.values[v].root != v || !p.fromOp(v) || p.desc(v).Layout != d.Layout || at[i]%engine.Align != 0) {
			return false
		}
	}
	for i, v := range out {
		if v != graph.None {
			p.moveInto(v, root, at[i])
		}
	}
	return true
}

// fromOp reports whether a value is an op's result in the arena.
func (p *program) fromOp(v graph.Value) bool {
	_, stored := p.keys[p.values[v].root]
	return !stored && p.values[v].Origin == graph.FromOp
}

// contiguous reports whether tensors side by side along an axis lie one behind the other
// in the whole.
func (p *program) contiguous(whole engine.Desc, axis int) bool {
	if whole.Layout == engine.Plain {
		return whole.Shape[:axis].Count() == 1
	}
	d, ok := p.dev.(engine.Divider)
	return ok && d.Contiguous(whole, axis)
}

// moveInto makes all values of a root's memory lie in another's, from a byte on.
func (p *program) moveInto(root, to graph.Value, at int64) {
	for v := range p.values {
		if p.values[v].root == root {
			p.values[v].root = to
			p.values[v].at += at
		}
	}
}
