package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "SigmoidCrossEntropyLoss", Bottoms: exactly(2), Tops: exactly(1), Loss: true, Lower: lowerSigmoidLoss})
}

// lowerSigmoidLoss emits the cross entropy of sigmoid(bottom[0]) and the targets
// bottom[1] in [0, 1], divided by the batch size where loss_param says nothing.
func lowerSigmoidLoss(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	x, target := b.Shape(bottom[0]), b.Shape(bottom[1])
	switch {
	case len(x) == 0 || len(target) == 0 || x[0] != target[0]:
		b.Failf("The data and label should have the same first dimension: %s has shape %v, %s has %v.", l.GetBottom()[0], x, l.GetBottom()[1], target)
		return nil
	case x.Count() != target.Count():
		b.Failf("SIGMOID_CROSS_ENTROPY_LOSS layer inputs must have the same count: %s has shape %v, %s has %v.", l.GetBottom()[0], x, l.GetBottom()[1], target)
		return nil
	}
	p := l.GetLossParam()
	loss := b.Op(engine.SigmoidLoss{
		HasIgnore: p != nil && p.IgnoreLabel != nil, Ignore: int(p.GetIgnoreLabel()),
		Norm: normalization(p, caffepb.LossParameter_BATCH_SIZE),
	}, bottom...)
	return []graph.Value{preFixed(b, p, loss)}
}
