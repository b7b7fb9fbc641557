package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

// checkClassWeighting refuses weights that are missing.
func checkClassWeighting(l *spec.Layer) error {
	if p := l.GetLossParam(); p.GetWeightByLabelFreqs() && len(p.GetClassWeighting()) == 0 {
		return l.FieldErrorf("loss_param.weight_by_label_freqs", "weight_by_label_freqs needs loss_param.class_weighting, one weight for each class")
	}
	return nil
}

// classWeights emits SegNet's class_weighting as InfogainLoss' matrix: with the
// weights on its diagonal the loss and the gradient of a position are multiplied
// by its label's weight.
func classWeights(l *spec.Layer, b *graph.Builder, classes int) graph.Value {
	weights := l.GetLossParam().GetClassWeighting()
	if len(weights) != classes {
		b.Fail(l.FieldErrorf("loss_param.class_weighting", "Number of class weights must match number of classes: %d weights, %d classes", len(weights), classes))
		return graph.None
	}
	rows := make([]graph.Value, classes)
	for i, w := range weights {
		rows[i] = b.Op(engine.Concat{Axis: 1}, b.Const(0, 1, i), b.Const(w, 1, 1), b.Const(0, 1, classes-i-1))
	}
	return b.Op(engine.Concat{}, rows...)
}
