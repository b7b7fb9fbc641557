package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "EuclideanLoss", Bottoms: exactly(2), Tops: exactly(1), Loss: true, Lower: lowerEuclideanLoss})
}

// lowerEuclideanLoss emits Σ (x0 − x1)²/(2N); both bottoms get gradients.
func lowerEuclideanLoss(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	x, y := b.Shape(bottom[0]), b.Shape(bottom[1])
	switch {
	case len(x) == 0 || len(y) == 0 || x[0] != y[0]:
		b.Failf("The data and label should have the same first dimension: %s has shape %v, %s has %v.", l.GetBottom()[0], x, l.GetBottom()[1], y)
		return nil
	case x.Count() != y.Count():
		b.Failf("Inputs must have the same dimension: %s has shape %v, %s has %v.", l.GetBottom()[0], x, l.GetBottom()[1], y)
		return nil
	}
	diff := b.Op(engine.Sum{Coeff: engine.FloatsOf(1, -1)}, bottom[0], b.Reshape(bottom[1], x...))
	return []graph.Value{b.Op(engine.Reduce{Fn: engine.ReduceSumSq, Coeff: 0.5 / float32(x[0])}, diff)}
}
