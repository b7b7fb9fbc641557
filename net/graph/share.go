package graph

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// share makes the layer's next blob the owner's, under Caffe's rules: equal
// shapes (STRICT) or equal counts (PERMISSIVE), and multipliers that are given
// on both sides agree.
func (b *Builder) share(owner int, shape engine.Shape, filler *caffepb.FillerParameter, entry *caffepb.ParamSpec) Value {
	p := &b.g.Params[owner]
	from, to := b.g.Layers[p.Layer].GetName(), b.g.Layers[b.layer].GetName()
	have := b.g.Shape(p.Value)
	if entry.GetShareMode() == caffepb.ParamSpec_PERMISSIVE {
		if have.Count() != shape.Count() {
			b.Failf("Cannot share param '%s' owned by layer '%s' with layer '%s'; count mismatch.  Owner layer param shape is %s; sharing layer shape is %s",
				p.Name, from, to, counted(have), counted(shape))
			return None
		}
	} else if !have.Equal(shape) {
		b.Failf("Cannot share param '%s' owned by layer '%s' with layer '%s'; shape mismatch.  Owner layer param shape is %s; sharing layer expects shape %s",
			p.Name, from, to, counted(have), counted(shape))
		return None
	}
	if !b.sameMult("lr_mult", p, entry.LrMult, &p.LRMult, func(s *caffepb.ParamSpec) *float32 { return s.LrMult }) ||
		!b.sameMult("decay_mult", p, entry.DecayMult, &p.DecayMult, func(s *caffepb.ParamSpec) *float32 { return s.DecayMult }) {
		return None
	}
	b.g.Uses[b.layer] = append(b.g.Uses[b.layer], Use{Param: owner, Shape: shape.Clone(), Filler: filler})
	return b.Reshape(p.Value, shape...)
}

// sameMult merges a multiplier that a sharing layer gives: it must agree with
// the owner's if that is given, and takes effect if it is not.
func (b *Builder) sameMult(field string, p *Param, given, have *float32, of func(*caffepb.ParamSpec) *float32) bool {
	if given == nil {
		return true
	}
	explicit := of(b.g.Layers[p.Layer].Param(p.Index)) != nil
	if explicit && *given != *have {
		b.Failf("Shared param '%s' has mismatched %s.", p.Name, field)
		return false
	}
	*have = *given
	return true
}

// counted is a shape as Caffe prints it, with its count: "2 4 (8)".
func counted(s engine.Shape) string {
	text := s.String()
	if text != "" {
		text += " "
	}
	return text + "(" + itoa(s.Count()) + ")"
}
