package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "SmoothL1Loss", From: "Fast R-CNN, SSD", Bottoms: between(2, 4), Tops: exactly(1), Loss: true, Lower: lowerSmoothL1Loss})
}

// lowerSmoothL1Loss emits Σ v·smooth(w·(x0 − x1))/N, smooth(d) = ½·σ²·d² where
// |d| < 1/σ², else |d| − ½/σ². w is the third bottom and v the fourth, 1 where
// they are missing: Fast R-CNN's inside and outside weights; SSD has w alone.
// x0 and x1 get gradients, by Fast R-CNN's rule also through w.
func lowerSmoothL1Loss(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	terms := smoothL1Terms(l, b, bottom)
	if b.Err() != nil {
		return nil
	}
	return []graph.Value{b.Op(engine.Reduce{Fn: engine.ReduceSum, Coeff: 1 / float32(b.Shape(terms)[0])}, terms)}
}

// smoothL1Terms emits the terms of the loss, in the shape of bottom[0].
func smoothL1Terms(l *spec.Layer, b *graph.Builder, bottom []graph.Value) graph.Value {
	x := b.Shape(bottom[0])
	for i, v := range bottom {
		if len(x) == 0 || b.Shape(v).Count() != x.Count() || b.Shape(v)[0] != x[0] {
			b.Failf("bottoms must have one shape: %s has %v, %s has %v", l.GetBottom()[0], x, l.GetBottom()[i], b.Shape(v))
			return graph.None
		}
	}
	mul := engine.Binary{Fn: engine.Mul}
	d := b.Op(engine.Sum{Coeff: engine.FloatsOf(1, -1)}, bottom[0], b.Reshape(bottom[1], x...))
	if len(bottom) > 2 {
		d = weighted(b, mul, d, b.Reshape(bottom[2], x...))
	}
	y := b.Op(engine.SmoothL1{Sigma: l.GetSmoothL1LossParam().GetSigma()}, d)
	if len(bottom) > 3 {
		y = weighted(b, mul, y, b.Reshape(bottom[3], x...))
	}
	return y
}

// weighted emits x·w, and gives w no gradient.
func weighted(b *graph.Builder, mul engine.Binary, x, w graph.Value) graph.Value {
	y := b.Op(mul, x, w)
	b.CustomGrad(y, func(b *graph.Builder, dy []graph.Value) []graph.Value {
		return []graph.Value{b.Op(mul, dy[0], w), graph.None}
	})
	return y
}
