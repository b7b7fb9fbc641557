package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Concat", Bottoms: atLeast(1), Tops: exactly(1), Check: checkConcat, Lower: lowerConcat})
}

func checkConcat(l *spec.Layer) error {
	if p := l.GetConcatParam(); p != nil && p.Axis != nil && p.ConcatDim != nil {
		return l.FieldErrorf("concat_param.concat_dim", "Either axis or concat_dim should be specified; not both.")
	}
	return nil
}

// lowerConcat emits the bottoms joined along an axis.
func lowerConcat(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetConcatParam()
	axis := int(p.GetAxis())
	if p != nil && p.ConcatDim != nil {
		axis = int(p.GetConcatDim())
	}
	axis = b.Axis(bottom[0], axis)
	first := b.Shape(bottom[0])
	for i, x := range bottom {
		shape := b.Shape(x)
		if len(shape) != len(first) {
			b.Failf("All inputs must have the same #axes: %s has shape %v, %s has %v.", l.GetBottom()[0], first, l.GetBottom()[i], shape)
			return nil
		}
		for j := range shape {
			if j != axis && shape[j] != first[j] {
				b.Failf("All inputs must have the same shape, except at concat_axis (%d): %s has shape %v, %s has %v.", axis, l.GetBottom()[0], first, l.GetBottom()[i], shape)
				return nil
			}
		}
	}
	if len(bottom) == 1 {
		return bottom
	}
	return []graph.Value{b.Op(engine.Concat{Axis: axis}, bottom...)}
}
