package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "ReLU6", From: "jolibrain", Bottoms: exactly(1), Tops: exactly(1), Lower: lowerReLU6})
}

// lowerReLU6 emits min(max(x, 0), 6) + negative_slope·min(x, 0); the gradient
// passes above 0, up to and with 6 (jolibrain).
func lowerReLU6(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	y := b.Op(relu(l), bottom[0])
	if l.GetReluParam().GetNegativeSlope() != 0 {
		// −max(−y, −6) is min(y, 6) without a bound below.
		six := b.Const(-6, b.Shape(y)...)
		return []graph.Value{b.Scaled(b.Op(engine.Binary{Fn: engine.Max}, b.Scaled(y, -1), six), -1)}
	}
	return []graph.Value{b.Op(engine.Unary{Fn: engine.Clip, A: 0, B: 6}, y)}
}
