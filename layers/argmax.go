package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "ArgMax", Bottoms: exactly(1), Tops: exactly(1), Check: checkArgMax, Lower: lowerArgMax})
}

func checkArgMax(l *spec.Layer) error {
	if l.GetArgmaxParam().GetTopK() == 0 {
		return l.FieldErrorf("argmax_param.top_k", "top k must not be less than 1.")
	}
	return nil
}

// lowerArgMax emits the indices of the top_k largest elements along an axis, or
// of each item where no axis is given; with out_max_val their values, in the
// latter case behind the indices.
func lowerArgMax(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, x := l.GetArgmaxParam(), b.Shape(bottom[0])
	op := engine.ArgMax{TopK: int(p.GetTopK()), Values: p.GetOutMaxVal(), HasAxis: p != nil && p.Axis != nil}
	if op.HasAxis {
		op.Axis = b.Axis(bottom[0], int(p.GetAxis()))
	}
	switch {
	case b.Err() != nil:
		return nil
	case op.HasAxis && op.TopK > x[op.Axis]:
		b.Failf("top_k must be less than or equal to the dimension of the axis: %d of %d.", op.TopK, x[op.Axis])
		return nil
	case !op.HasAxis && (len(x) == 0 || op.TopK > x[1:].Count()):
		b.Failf("top_k must be less than or equal to the dimension of the flattened bottom blob per instance: %d of shape %v.", op.TopK, x)
		return nil
	}
	return []graph.Value{b.Op(op, bottom[0])}
}
