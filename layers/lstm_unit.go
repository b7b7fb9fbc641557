package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "LSTMUnit", Bottoms: exactly(3), Tops: exactly(2), Lower: lowerLSTMUnit})
}

// lowerLSTMUnit emits one step of an LSTM: bottoms c (1, N, D), the sums of its
// gates (1, N, 4·D), cont (1, N); tops the next c and h, both (1, N, D).
func lowerLSTMUnit(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	c, gates, cont := b.Shape(bottom[0]), b.Shape(bottom[1]), b.Shape(bottom[2])
	if len(c) != 3 || c[0] != 1 || !gates.Equal(engine.Shape{1, c[1], 4 * c[2]}) || !cont.Equal(c[:2]) {
		b.Failf("want bottoms of shapes 1 N D, 1 N 4·D and 1 N: %s has shape %v, %s has %v, %s has %v",
			l.GetBottom()[0], c, l.GetBottom()[1], gates, l.GetBottom()[2], cont)
		return nil
	}
	next, h := lstmUnit(b, b.Reshape(bottom[0], c[1], c[2]), b.Reshape(bottom[1], c[1], 4*c[2]), b.Reshape(b.Stop(bottom[2]), c[1]))
	return []graph.Value{b.Reshape(next, c...), b.Reshape(h, c...)}
}

// lstmUnit emits c' = σ(f)·cont·c + σ(i)·tanh(g) and h' = σ(o)·tanh(c') for c
// (N, D), gates (N, 4·D) in the order i, f, o, g, and cont (N).
//
// For cont other than 0 and 1 Caffe's gradient of f is not the derivative; this
// one is.
func lstmUnit(b *graph.Builder, c, gates, cont graph.Value) (next, h graph.Value) {
	if b.Err() != nil {
		return graph.None, graph.None
	}
	d := b.Shape(c)[1]
	mul := engine.Binary{Fn: engine.Mul}
	parts := b.Ops(engine.Slice{Axis: 1, Sizes: engine.IntsOf(3*d, d)}, gates)
	if parts == nil {
		return graph.None, graph.None
	}
	open := b.Ops(engine.Slice{Axis: 1, Sizes: engine.IntsOf(d, d, d)}, b.Op(engine.Unary{Fn: engine.Sigmoid}, parts[0]))
	if open == nil {
		return graph.None, graph.None
	}
	kept := b.Op(mul, open[1], b.Op(engine.Broadcast{Fn: engine.BroadcastMul}, c, cont))
	added := b.Op(mul, open[0], b.Op(engine.Unary{Fn: engine.TanH}, parts[1]))
	next = b.Op(engine.Sum{}, kept, added)
	return next, b.Op(mul, open[2], b.Op(engine.Unary{Fn: engine.TanH}, next))
}
