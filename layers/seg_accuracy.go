package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "SegAccuracy", From: "PSPNet", Bottoms: exactly(2), Tops: exactly(1), Lower: lowerSegAccuracy})
}

// lowerSegAccuracy emits (1, 1, 1, 3): pixel accuracy, the classes' mean accuracy
// and mean intersection over union of the scores bottom[0], (N, C, H, W), given the
// labels bottom[1], (N, 1, H, W) (PSPNet). With reset: false the numbers are those
// of all batches so far. Like PSPNet's, it does not look at metric. No gradient.
func lowerSegAccuracy(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	x, label := legacy(b, bottom[0]), legacy(b, bottom[1])
	if b.Err() != nil {
		return nil
	}
	if want := (engine.Shape{x[0], 1, x[2], x[3]}); !label.Equal(want) {
		b.Failf("The data should have the same number, height and width as the label, which has one channel: %s has shape %v, %s has %v.",
			l.GetBottom()[0], x, l.GetBottom()[1], label)
		return nil
	}
	p, classes := l.GetSegAccuracyParam(), x[1]
	var ignore []int
	for _, v := range p.GetIgnoreLabel() {
		ignore = append(ignore, int(v))
	}
	scores, labels := b.Reshape(b.Stop(bottom[0]), x...), b.Stop(bottom[1])
	op := engine.Confusion{Ignore: engine.IntsOf(ignore...)}
	if p.GetReset_() {
		return []graph.Value{b.Op(engine.SegmentScores{}, b.Op(op, scores, labels, b.Const(0, 2, classes, classes)))}
	}
	before := b.State("confusion", 2, classes, classes)
	after := b.Op(op, scores, labels, before)
	b.Assign(before, after)
	return []graph.Value{b.Op(engine.SegmentScores{}, after)}
}
