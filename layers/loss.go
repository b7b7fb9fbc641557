package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// normalization is what a loss is divided by. normalization wins over the older
// normalize; where neither is given it is fallback. PRE_FIXED leaves the division
// to preFixed.
func normalization(p *caffepb.LossParameter, fallback caffepb.LossParameter_NormalizationMode) engine.Normalization {
	mode := fallback
	switch {
	case p == nil:
	case p.Normalization != nil:
		mode = p.GetNormalization()
	case p.Normalize != nil && p.GetNormalize():
		mode = caffepb.LossParameter_VALID
	case p.Normalize != nil:
		mode = caffepb.LossParameter_BATCH_SIZE
	}
	return map[caffepb.LossParameter_NormalizationMode]engine.Normalization{
		caffepb.LossParameter_PRE_FIXED:  engine.NormNone,
		caffepb.LossParameter_FULL:       engine.NormFull,
		caffepb.LossParameter_VALID:      engine.NormValid,
		caffepb.LossParameter_BATCH_SIZE: engine.NormBatchSize,
		caffepb.LossParameter_NONE:       engine.NormNone,
	}[mode]
}

// preFixed divides a loss by loss_param.pre_fixed_normalizer, at least 1, where
// normalization is PRE_FIXED (R-FCN).
func preFixed(b *graph.Builder, p *caffepb.LossParameter, loss graph.Value) graph.Value {
	if p.GetNormalization() != caffepb.LossParameter_PRE_FIXED {
		return loss
	}
	return b.Scaled(loss, 1/max(p.GetPreFixedNormalizer(), 1))
}
