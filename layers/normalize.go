package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Normalize", From: "SSD", Bottoms: exactly(1), Tops: exactly(1), Lower: lowerNormalize})
}

// lowerNormalize emits each position of the bottom (N, C, H, W) divided by the
// Euclidean norm of its channels, or with across_spatial each item by its own,
// times a learned scale: one a channel, or with channel_shared one for all.
//
// The gradient is SSD's, scale·(dy − x·Σ(x·dy)/norm²)/norm: the scale is not
// inside of the sum, where the derivative has it. For one scale it is the same.
func lowerNormalize(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, shape := l.GetNormParam(), b.Shape(bottom[0])
	if len(shape) < 2 || len(shape) > 4 {
		b.Failf("bottom %s has shape %v: want 2 to 4 axes", l.GetBottom()[0], shape)
		return nil
	}
	filler := p.GetScaleFiller()
	if filler == nil {
		filler = constant(1)
	}
	scaleShape := engine.Shape{shape[1]}
	if p.GetChannelShared() {
		scaleShape = engine.Shape{}
	}
	scale := b.Param(scaleShape, filler)
	op := engine.L2Norm{Spatial: p.GetAcrossSpatial(), Eps: p.GetEps()}
	mul := engine.Broadcast{Fn: engine.BroadcastMul, Axis: len(scaleShape)}
	out := append(b.Ops(op, bottom[0]), graph.None, graph.None)
	y, norm := out[0], out[1]
	b.CustomGrad(y, func(b *graph.Builder, dy []graph.Value) []graph.Value {
		return []graph.Value{b.Op(mul, b.Op(engine.L2NormGrad(op), dy[0], bottom[0], norm), scale)}
	})
	top := b.Op(mul, y, scale)
	b.CustomGrad(top, func(b *graph.Builder, dy []graph.Value) []graph.Value {
		sum := engine.BroadcastGrad{Fn: engine.BroadcastMul, Axis: mul.Axis, Rank: len(scaleShape)}
		return []graph.Value{dy[0], b.Op(sum, dy[0], y)}
	})
	return []graph.Value{top}
}
