package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "LRN", Bottoms: exactly(1), Tops: exactly(1), Check: checkLRN, Lower: lowerLRN})
}

func checkLRN(l *spec.Layer) error {
	if n := l.GetLrnParam().GetLocalSize(); n%2 != 1 {
		return l.FieldErrorf("lrn_param.local_size", "LRN only supports odd values for local_size, not %d", n)
	}
	return nil
}

// lowerLRN emits local response normalisation. Across channels it is one op.
// Within a channel it is x·(1 + alpha·mean)^−beta, mean being the average of x²
// over local_size × local_size positions, padding counted; Caffe ignores k there.
func lowerLRN(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, x := l.GetLrnParam(), bottom[0]
	shape, n := b.Shape(x), int(p.GetLocalSize())
	if len(shape) != 4 {
		b.Failf("Input must have 4 axes, corresponding to (num, channels, height, width): bottom %s has shape %v", l.GetBottom()[0], shape)
		return nil
	}
	if p.GetNormRegion() == caffepb.LRNParameter_ACROSS_CHANNELS {
		return []graph.Value{b.Op(engine.LRN{Size: n, Alpha: p.GetAlpha(), Beta: p.GetBeta(), K: p.GetK()}, x)}
	}
	square := b.Op(engine.Unary{Fn: engine.Power, A: 2, B: 1}, x)
	mean := b.Op(engine.Pool{
		Method: engine.AvePool, Kernel: engine.IntsOf(n, n), Stride: engine.IntsOf(1, 1),
		Pad: engine.IntsOf(n/2, n/2), Out: engine.IntsOf(shape[2:]...),
	}, square)
	factor := b.Op(engine.Unary{Fn: engine.Power, A: -p.GetBeta(), B: p.GetAlpha(), C: 1}, mean)
	return []graph.Value{b.Op(engine.Binary{Fn: engine.Mul}, x, factor)}
}
