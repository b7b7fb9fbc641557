package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "MultiBoxLoss", From: "SSD", Bottoms: exactly(4), Tops: exactly(1), Loss: true, Check: checkMultiBoxLoss, Lower: lowerMultiBoxLoss})
}

func checkMultiBoxLoss(l *spec.Layer) error {
	p := l.GetMultiboxLossParam()
	mining := p.GetMiningType() != caffepb.MultiBoxLossParameter_NONE
	classes, background := p.GetNumClasses(), p.GetBackgroundLabelId()
	const at = "multibox_loss_param."
	switch {
	case classes == 0:
		return l.FieldErrorf("multibox_loss_param", "Must provide num_classes.")
	case mining && !p.GetShareLocation():
		return l.FieldErrorf(at+"share_location", "Currently only support negative mining if share_location is true.")
	case p != nil && p.DoNegMining != nil && p.GetDoNegMining() != mining:
		return l.FieldErrorf(at+"do_neg_mining", "do_neg_mining: %v contradicts mining_type: %v; leave the older field out", p.GetDoNegMining(), p.GetMiningType())
	case background >= classes && p.GetConfLossType() == caffepb.MultiBoxLossParameter_SOFTMAX:
		return l.FieldErrorf(at+"background_label_id", "background_label_id should be within [0, num_classes) for Softmax.")
	case p.GetMiningType() == caffepb.MultiBoxLossParameter_HARD_EXAMPLE && p.GetSampleSize() <= 0:
		return l.FieldErrorf(at+"sample_size", "sample_size must be positive")
	case p.GetMapObjectToAgnostic() && classes != background+2:
		return l.FieldErrorf(at+"map_object_to_agnostic", "map_object_to_agnostic needs two classes, background_label_id: 0 and object: num_classes is %d", classes)
	}
	return nil
}

// lowerMultiBoxLoss emits SSD's loss of the locations bottom[0] and the scores
// bottom[1] of the default boxes bottom[2], given the labelled boxes bottom[3]:
// (loc_weight·Σ distance + Σ cross entropy)/N, N the matches (VALID), all default
// boxes (FULL), the items (BATCH_SIZE) or 1. A prediction with propagate_down:
// false is not in the loss, as in SSD. An nms_param without top_k looks at all boxes.
func lowerMultiBoxLoss(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	op := multiBoxMatch(l)
	out := b.Ops(op, bottom[0], bottom[1], b.Stop(bottom[2]), b.Stop(bottom[3]))
	if out == nil {
		return nil
	}
	diff, target, scale := out[0], out[1], b.Stop(out[2])
	var terms []graph.Value
	if down, _ := l.Propagates(0); down {
		weight := l.GetMultiboxLossParam().GetLocWeight()
		terms = append(terms, boxDistance(b, op.L2, weight, diff))
	}
	if down, _ := l.Propagates(1); down {
		terms = append(terms, boxEntropy(b, op, bottom[1], target))
	}
	if len(terms) == 0 {
		return []graph.Value{b.Const(0)}
	}
	loss := b.Op(engine.Binary{Fn: engine.Mul}, b.Op(engine.Sum{}, terms...), scale)
	return []graph.Value{preFixed(b, l.GetLossParam(), loss)}
}

// multiBoxMatch reads the parameters.
func multiBoxMatch(l *spec.Layer) engine.MultiBoxMatch {
	p := l.GetMultiboxLossParam()
	op := engine.MultiBoxMatch{
		Classes: int(p.GetNumClasses()), Background: int(p.GetBackgroundLabelId()), PerClass: !p.GetShareLocation(), Code: boxCode(p.GetCodeType()),
		VarianceInTarget: p.GetEncodeVarianceInTarget(), PerPrediction: p.GetMatchType() == caffepb.MultiBoxLossParameter_PER_PREDICTION,
		Overlap: p.GetOverlapThreshold(), MatchDecoded: !p.GetUsePriorForMatching(), SkipCross: p.GetIgnoreCrossBoundaryBbox(), ZeroOutside: p.GetBpInside(),
		UseDifficult: p.GetUseDifficultGt(), Agnostic: p.GetMapObjectToAgnostic(), Logistic: p.GetConfLossType() == caffepb.MultiBoxLossParameter_LOGISTIC,
		L2: p.GetLocLossType() == caffepb.MultiBoxLossParameter_L2, Ratio: p.GetNegPosRatio(), NegOverlap: p.GetNegOverlap(), Sample: int(p.GetSampleSize()),
		TopK: -1, NMSDecoded: !p.GetUsePriorForNms(), Norm: normalization(l.GetLossParam(), caffepb.LossParameter_VALID),
	}
	op.Mining = map[caffepb.MultiBoxLossParameter_MiningType]engine.Mining{
		caffepb.MultiBoxLossParameter_NONE:         engine.MineNone,
		caffepb.MultiBoxLossParameter_MAX_NEGATIVE: engine.MineNegative,
		caffepb.MultiBoxLossParameter_HARD_EXAMPLE: engine.MineHard,
	}[p.GetMiningType()]
	if nms := p.GetNmsParam(); nms != nil {
		op.NMS = nms.GetNmsThreshold()
		if nms.TopK != nil {
			op.TopK = int(nms.GetTopK())
		}
	}
	return op
}

// boxDistance is the sum of squares or of smooth L1, times weight.
func boxDistance(b *graph.Builder, l2 bool, weight float32, diff graph.Value) graph.Value {
	if l2 {
		return b.Op(engine.Reduce{Fn: engine.ReduceSumSq, Coeff: weight / 2}, diff)
	}
	return b.Op(engine.Reduce{Fn: engine.ReduceSum, Coeff: weight}, b.Op(engine.SmoothL1{Sigma: 1}, diff))
}

// boxEntropy is the cross entropy summed over the boxes that are in the loss.
func boxEntropy(b *graph.Builder, op engine.MultiBoxMatch, conf, target graph.Value) graph.Value {
	if op.Logistic {
		return b.Op(engine.SigmoidLoss{HasIgnore: true, Ignore: -1, Norm: engine.NormNone}, conf, target)
	}
	shape := b.Shape(target)
	scores := b.Reshape(conf, shape[0], shape[1], op.Classes)
	return b.Op(engine.SoftmaxLoss{Axis: 2, HasIgnore: true, Ignore: -1, Norm: engine.NormNone}, scores, target)
}
