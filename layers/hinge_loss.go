package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "HingeLoss", Bottoms: exactly(2), Tops: exactly(1), Loss: true, Lower: lowerHingeLoss})
}

// lowerHingeLoss emits the hinge loss of N items with D scores, one against all:
// Σ max(0, 1 − s·x)/N, s being 1 for the label's score and −1 for the others; norm
// L2 squares each term.
func lowerHingeLoss(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	if !oneLabelAnItem(l, b, bottom) {
		return nil
	}
	n, d := b.Shape(bottom[0])[0], b.Shape(bottom[0])[1:].Count()
	signs := b.Op(engine.OneHot{Classes: d, On: -1, Off: 1}, b.Reshape(bottom[1], n))
	scores := b.Op(engine.Binary{Fn: engine.Mul}, b.Reshape(bottom[0], n, d), signs)
	short := b.Op(engine.Unary{Fn: engine.ReLU}, b.Op(engine.Unary{Fn: engine.Power, A: 1, B: 1, C: 1}, scores))
	op := engine.Reduce{Fn: engine.ReduceASum, Coeff: 1 / float32(n)}
	if l.GetHingeLossParam().GetNorm() == caffepb.HingeLossParameter_L2 {
		op.Fn = engine.ReduceSumSq
	}
	return []graph.Value{b.Op(op, short)}
}

// oneLabelAnItem checks that bottom[1] has one label for each item of bottom[0].
func oneLabelAnItem(l *spec.Layer, b *graph.Builder, bottom []graph.Value) bool {
	x, label := b.Shape(bottom[0]), b.Shape(bottom[1])
	switch names := l.GetBottom(); {
	case len(x) == 0 || len(label) == 0 || x[0] != label[0]:
		b.Failf("The data and label should have the same first dimension: %s has shape %v, %s has %v.", names[0], x, names[1], label)
	case label.Count() != x[0]:
		b.Failf("there must be one label for each of the %d items: %s has shape %v", x[0], names[1], label)
	case x.Count() == 0:
		b.Failf("there are no scores: %s has shape %v", names[0], x)
	}
	return b.Err() == nil
}
