package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "Dropout", Bottoms: exactly(1), Tops: exactly(1), Check: checkDropout, Lower: lowerDropout})
}

func checkDropout(l *spec.Layer) error {
	if r := l.GetDropoutParam().GetDropoutRatio(); !(r >= 0 && r < 1) {
		return l.FieldErrorf("dropout_param.dropout_ratio", "dropout_ratio must be at least 0 and less than 1, not %g", r)
	}
	return nil
}

// lowerDropout emits top = bottom · mask while training, the mask 0 and
// 1/(1 − dropout_ratio), drawn for each run; while testing the
// bottom itself, or with sample_weights_test the same (SegNet). With scale_train:
// false both are multiplied by 1 − dropout_ratio (Fast R-CNN).
func lowerDropout(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetDropoutParam()
	tops := bottom
	if l.GetPhase() == caffepb.Phase_TRAIN || p.GetSampleWeightsTest() {
		mask := b.Mask(p.GetDropoutRatio(), b.Shape(bottom[0]))
		tops = []graph.Value{b.Op(engine.Binary{Fn: engine.Mul}, bottom[0], mask)}
	}
	if !p.GetScaleTrain() {
		tops = []graph.Value{b.Op(engine.Unary{Fn: engine.Power, A: 1, B: 1 - p.GetDropoutRatio()}, tops[0])}
	}
	return tops
}
