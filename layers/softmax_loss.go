package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "SoftmaxWithLoss", Bottoms: exactly(2), Tops: between(1, 2), Loss: true, Check: checkClassWeighting, Lower: lowerSoftmaxLoss})
}

// lowerSoftmaxLoss emits the cross entropy of softmax(bottom[0]) along
// softmax_param.axis and the labels bottom[1], one for each position; a second
// top is the probabilities, which pass no gradient on. SegNet's
// weight_by_label_freqs multiplies each position by its label's class_weighting.
func lowerSoftmaxLoss(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	tops := softmaxLoss(l, b, bottom)
	return tops[:min(len(tops), max(1, len(l.GetTop())))]
}

// softmaxLoss emits the loss and the probabilities; nil after an error.
func softmaxLoss(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	x, label := b.Shape(bottom[0]), b.Shape(bottom[1])
	axis := b.Axis(bottom[0], int(l.GetSoftmaxParam().GetAxis()))
	if b.Err() != nil || !labelsFit(l, b, x, label, axis, "softmax axis") {
		return nil
	}
	p := l.GetLossParam()
	op := engine.SoftmaxLoss{
		Axis: axis, HasIgnore: p != nil && p.IgnoreLabel != nil, Ignore: int(p.GetIgnoreLabel()),
		Norm: normalization(p, caffepb.LossParameter_VALID),
	}
	var tops []graph.Value
	if p.GetWeightByLabelFreqs() {
		tops = b.Ops(engine.InfogainLoss(op), bottom[0], bottom[1], classWeights(l, b, x[axis]))
	} else {
		tops = b.Ops(op, bottom...)
	}
	if tops != nil {
		tops[0] = preFixed(b, p, tops[0])
	}
	return tops
}

// labelsFit checks that there is one label for each position of the scores.
func labelsFit(l *spec.Layer, b *graph.Builder, x, label engine.Shape, axis int, what string) bool {
	switch {
	case l.GetType() != "Accuracy" && (len(label) == 0 || label[0] != x[0]):
		b.Failf("The data and label should have the same first dimension: %s has shape %v, %s has %v.", l.GetBottom()[0], x, l.GetBottom()[1], label)
	case label.Count()*x[axis] != x.Count():
		b.Failf("Number of labels must match number of predictions; e.g., if %s == 1 and prediction shape is (N, C, H, W), "+
			"label count (number of labels) must be N*H*W, with integer values in {0, 1, ..., C-1}: %s has shape %v, %s has %v.",
			what, l.GetBottom()[0], x, l.GetBottom()[1], label)
	}
	return b.Err() == nil
}
