package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// normalization is what a loss is divided by. normalization wins over the older
// normalize; where neither is given it is fallback.
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
		caffepb.LossParameter_FULL:       engine.NormFull,
		caffepb.LossParameter_VALID:      engine.NormValid,
		caffepb.LossParameter_BATCH_SIZE: engine.NormBatchSize,
		caffepb.LossParameter_NONE:       engine.NormNone,
	}[mode]
}
