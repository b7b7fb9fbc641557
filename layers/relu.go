package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "ReLU", Bottoms: exactly(1), Tops: exactly(1), Lower: lowerReLU})
}

// lowerReLU emits top = max(x, 0) + negative_slope·min(x, 0).
func lowerReLU(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	slope := l.GetReluParam().GetNegativeSlope()
	return []graph.Value{b.Op(engine.Unary{Fn: engine.ReLU, A: slope}, bottom[0])}
}
