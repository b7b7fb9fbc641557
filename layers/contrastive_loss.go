package layers

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "ContrastiveLoss", Bottoms: exactly(3), Tops: exactly(1), Loss: true, Lower: lowerContrastiveLoss})
}

// lowerContrastiveLoss emits the loss of Hadsell et al. 2006 for pairs of N
// features of C channels: with d the distance of a pair,
// Σ s·d² + (1 − s)·max(margin − d, 0)² over 2N, where s is whether bottom[2], cut
// to an integer, is not 0. legacy_version has max(margin − d², 0) instead.
func lowerContrastiveLoss(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	if !pairsFit(l, b, bottom) {
		return nil
	}
	p := l.GetContrastiveLossParam()
	n, channels := b.Shape(bottom[0])[0], b.Shape(bottom[0])[1:].Count()
	mul := engine.Binary{Fn: engine.Mul}
	rows := func(v graph.Value) graph.Value { return b.Reshape(v, n, channels) }
	diff := b.Op(engine.Sum{Coeff: engine.FloatsOf(1, -1)}, rows(bottom[0]), rows(bottom[1]))
	square := b.Op(engine.Reduce{Fn: engine.ReduceSumSq, Axis: 1, Coeff: 1}, diff)

	// |s| ≥ 1 is > the float32 before 1.
	given := b.Op(engine.Unary{Fn: engine.Abs}, b.Reshape(b.Stop(bottom[2]), n))
	similar := b.Op(engine.Unary{Fn: engine.Threshold, A: math.Nextafter32(1, 0)}, given)
	dissimilar := b.Op(engine.Unary{Fn: engine.Power, A: 1, B: -1, C: 1}, similar)

	short := square
	if !p.GetLegacyVersion() {
		short = distance(b, square)
	}
	short = b.Op(engine.Unary{Fn: engine.ReLU}, b.Op(engine.Unary{Fn: engine.Power, A: 1, B: -1, C: p.GetMargin()}, short))
	if !p.GetLegacyVersion() {
		short = b.Op(engine.Unary{Fn: engine.Power, A: 2, B: 1}, short)
	}
	each := b.Op(engine.Sum{}, b.Op(mul, square, similar), b.Op(mul, short, dissimilar))
	return []graph.Value{b.Op(engine.Reduce{Fn: engine.ReduceSum, Coeff: 0.5 / float32(n)}, each)}
}

// distance emits √square. Its gradient is Caffe's, which adds 1e-4 to the
// distance that it divides by: pairs at one place get 0 instead of NaN.
func distance(b *graph.Builder, square graph.Value) graph.Value {
	d := b.Op(engine.Unary{Fn: engine.Power, A: 0.5, B: 1}, square)
	b.CustomGrad(d, func(b *graph.Builder, dd []graph.Value) []graph.Value {
		inverse := b.Op(engine.Unary{Fn: engine.Power, A: -1, B: 2, C: 2e-4}, d)
		return []graph.Value{b.Op(engine.Binary{Fn: engine.Mul}, dd[0], inverse)}
	})
	return d
}

// pairsFit checks that the bottoms are two times N features and N flags.
func pairsFit(l *spec.Layer, b *graph.Builder, bottom []graph.Value) bool {
	x, y, s := legacy(b, bottom[0]), legacy(b, bottom[1]), legacy(b, bottom[2])
	names := l.GetBottom()
	switch {
	case b.Err() != nil:
	case len(b.Shape(bottom[0])) == 0 || x[0] != y[0]:
		b.Failf("The data and label should have the same first dimension: %s has shape %v, %s has %v.", names[0], x, names[1], y)
	case x[1] != y[1] || x[2] != 1 || x[3] != 1 || y[2] != 1 || y[3] != 1:
		b.Failf("the features to compare must have shapes (N, C, 1, 1): %s has shape %v, %s has %v", names[0], x, names[1], y)
	case s.Count() != x[0] || s[0] != x[0]:
		b.Failf("there must be one similarity flag for each of the %d pairs: %s has shape %v", x[0], names[2], s)
	}
	return b.Err() == nil
}
