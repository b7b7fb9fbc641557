package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Softmax", Bottoms: exactly(1), Tops: exactly(1), Lower: lowerSoftmax})
}

// lowerSoftmax emits top = exp(x)/Σ exp(x) along an axis.
func lowerSoftmax(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	axis := b.Axis(bottom[0], int(l.GetSoftmaxParam().GetAxis()))
	return []graph.Value{b.Op(engine.Softmax{Axis: axis}, bottom[0])}
}
