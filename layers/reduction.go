package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "Reduction", Bottoms: exactly(1), Tops: exactly(1), Lower: lowerReduction})
}

// lowerReduction emits coeff times the sum, the sum of absolute values, the sum
// of squares or the mean of all axes from axis on.
func lowerReduction(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetReductionParam()
	axis := b.Axis(bottom[0], int(p.GetAxis()))
	if b.Err() != nil {
		return nil
	}
	op := engine.Reduce{Axis: axis, Coeff: p.GetCoeff()}
	switch p.GetOperation() {
	case caffepb.ReductionParameter_ASUM:
		op.Fn = engine.ReduceASum
	case caffepb.ReductionParameter_SUMSQ:
		op.Fn = engine.ReduceSumSq
	case caffepb.ReductionParameter_MEAN:
		op.Coeff /= float32(b.Shape(bottom[0])[axis:].Count())
	}
	return []graph.Value{b.Op(op, bottom[0])}
}
