package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "MVN", Bottoms: exactly(1), Tops: exactly(1), Lower: lowerMVN})
}

// lowerMVN emits each plane of the bottom (N, C, H, W), or each item with
// across_channels, with its mean subtracted and, with normalize_variance,
// divided by its deviation: (x − mean)/(σ + eps), eps outside of the root. The
// top has 4 axes whatever the bottom has, as in Caffe.
func lowerMVN(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetMvnParam()
	shape := legacy(b, bottom[0])
	if b.Err() != nil {
		return nil
	}
	groups := shape[0] * shape[1]
	if p.GetAcrossChannels() {
		groups = shape[0]
	}
	n := shape.Count() / max(groups, 1)
	x := b.Reshape(bottom[0], groups, n)
	mean := b.Op(engine.Reduce{Fn: engine.ReduceSum, Axis: 1, Coeff: -1 / float32(n)}, x)
	y := b.Op(engine.Broadcast{Fn: engine.BroadcastAdd}, x, mean)
	if p.GetNormalizeVariance() {
		y = divideByDeviation(b, y, n, p.GetEps())
	}
	return []graph.Value{b.Reshape(y, shape...)}
}

// divideByDeviation emits x/(σ + eps) for rows x of n elements and mean 0.
//
// The gradient is Caffe's, (dy − y·mean(dy·y))/(σ + eps), which takes σ for
// σ + eps in one place; the derivative would be NaN where a row is constant.
func divideByDeviation(b *graph.Builder, x graph.Value, n int, eps float32) graph.Value {
	rows := engine.Broadcast{Fn: engine.BroadcastMul}
	variance := b.Op(engine.Reduce{Fn: engine.ReduceSumSq, Axis: 1, Coeff: 1 / float32(n)}, x)
	deviation := b.Op(engine.Unary{Fn: engine.Power, A: 0.5, B: 1}, variance)
	inverse := b.Op(engine.Unary{Fn: engine.Power, A: -1, B: 1, C: eps}, deviation)
	y := b.Op(rows, x, inverse)
	b.CustomGrad(y, func(b *graph.Builder, dy []graph.Value) []graph.Value {
		dot := b.Op(engine.Reduce{Fn: engine.ReduceSum, Axis: 1, Coeff: -1 / float32(n)}, b.Op(engine.Binary{Fn: engine.Mul}, dy[0], y))
		dx := b.Op(engine.Sum{}, dy[0], b.Op(rows, y, dot))
		return []graph.Value{b.Op(rows, dx, inverse), graph.None}
	})
	return y
}

// legacy is v's shape as (N, C, H, W), with 1 for axes that it lacks: how
// Caffe's older layers read shapes.
func legacy(b *graph.Builder, v graph.Value) engine.Shape {
	shape := b.Shape(v)
	if len(shape) > 4 {
		b.Failf("Cannot use legacy accessors on Blobs with > 4 axes: the bottom has shape %v", shape)
		return nil
	}
	out := engine.Shape{1, 1, 1, 1}
	copy(out, shape)
	return out
}
