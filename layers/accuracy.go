package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Accuracy", Bottoms: exactly(2), Tops: between(1, 2), Check: checkAccuracy, Lower: lowerAccuracy})
}

func checkAccuracy(l *spec.Layer) error {
	if l.GetAccuracyParam().GetTopK() == 0 {
		return l.FieldErrorf("accuracy_param.top_k", "top_k must be positive")
	}
	return nil
}

// lowerAccuracy emits the share of positions whose label is among the top_k best
// scores, and for a second top that share for each class.
func lowerAccuracy(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetAccuracyParam()
	x := b.Shape(bottom[0])
	axis := b.Axis(bottom[0], int(p.GetAxis()))
	if b.Err() != nil || !labelsFit(l, b, x, b.Shape(bottom[1]), axis, "label axis") {
		return nil
	}
	if int(p.GetTopK()) > x[axis] {
		b.Failf("top_k must be less than or equal to the number of classes: %d of %d.", p.GetTopK(), x[axis])
		return nil
	}
	tops := b.Ops(engine.Accuracy{
		TopK: int(p.GetTopK()), Axis: axis, HasIgnore: p != nil && p.IgnoreLabel != nil, Ignore: int(p.GetIgnoreLabel()),
	}, bottom...)
	return tops[:min(len(tops), len(l.GetTop()))]
}
