package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "L1Loss", From: "NVCaffe", Bottoms: exactly(2), Tops: exactly(1), Loss: true, Lower: lowerL1Loss})
}

// lowerL1Loss emits Σ |x0 − x1|/N; both bottoms get gradients (NVCaffe).
func lowerL1Loss(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	x, y := b.Shape(bottom[0]), b.Shape(bottom[1])
	if len(x) == 0 || len(y) == 0 || x[0] != y[0] || x.Count() != y.Count() {
		b.Failf("Inputs must have the same dimension: %s has shape %v, %s has %v.", l.GetBottom()[0], x, l.GetBottom()[1], y)
		return nil
	}
	diff := b.Op(engine.Sum{Coeff: engine.FloatsOf(1, -1)}, bottom[0], b.Reshape(bottom[1], x...))
	return []graph.Value{b.Op(engine.Reduce{Fn: engine.ReduceASum, Coeff: 1 / float32(x[0])}, diff)}
}
