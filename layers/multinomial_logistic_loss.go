package layers

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "MultinomialLogisticLoss", Bottoms: exactly(2), Tops: exactly(1), Loss: true, Lower: lowerMultinomialLogisticLoss})
}

// leastProbability is the smallest whose logarithm Caffe takes (but in
// SoftmaxWithLoss).
const leastProbability = 1e-20

// lowerMultinomialLogisticLoss emits −Σ ln max(p[label], 1e-20)/N for the
// probabilities p of N items. Below 1e-20 the gradient is that of 1e-20, as in
// Caffe.
func lowerMultinomialLogisticLoss(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	if !oneLabelAnItem(l, b, bottom) {
		return nil
	}
	n, d := b.Shape(bottom[0])[0], b.Shape(bottom[0])[1:].Count()
	picked := b.Op(engine.OneHot{Classes: d, On: 1}, b.Reshape(bottom[1], n))
	p := b.Op(engine.Reduce{Fn: engine.ReduceSum, Axis: 1, Coeff: 1}, b.Op(engine.Binary{Fn: engine.Mul}, b.Reshape(bottom[0], n, d), picked))
	floor := b.Op(engine.Unary{Fn: engine.Clip, A: leastProbability, B: math.MaxFloat32}, p)
	b.CustomGrad(floor, func(_ *graph.Builder, dy []graph.Value) []graph.Value { return dy })
	costs := b.Op(engine.Unary{Fn: engine.Log, A: -1, B: 1}, floor)
	return []graph.Value{b.Op(engine.Reduce{Fn: engine.ReduceSum, Coeff: 1 / float32(n)}, costs)}
}
