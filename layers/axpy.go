package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Axpy", From: "SENet", Bottoms: exactly(3), Tops: exactly(1), Lower: lowerAxpy})
}

// lowerAxpy emits a·x + y of bottoms a (N, C) or (N, C, 1, 1), x and y (N, C, …): a
// scale for each channel of each item, and a sum (SENet).
func lowerAxpy(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	a, x, y := b.Shape(bottom[0]), b.Shape(bottom[1]), b.Shape(bottom[2])
	if len(x) < 2 || len(a) < 2 || a.Count() != x[0]*x[1] || a[0] != x[0] || a[1] != x[1] {
		b.Failf("bottom %s has shape %v: want one scale for each item and channel of %s (%v)", l.GetBottom()[0], a, l.GetBottom()[1], x)
		return nil
	}
	if !x.Equal(y) {
		b.Failf("bottoms %s and %s must have one shape: %v and %v", l.GetBottom()[1], l.GetBottom()[2], x, y)
		return nil
	}
	scaled := b.Op(engine.Broadcast{Fn: engine.BroadcastMul}, bottom[1], b.Reshape(bottom[0], x[0], x[1]))
	return []graph.Value{b.Op(engine.Sum{}, scaled, bottom[2])}
}
