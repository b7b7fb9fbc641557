package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "SmoothL1LossOHEM", From: "R-FCN", Bottoms: between(2, 3), Tops: between(1, 2), Loss: true, Lower: lowerSmoothL1LossOHEM})
}

// lowerSmoothL1LossOHEM emits the sum of SmoothL1Loss' terms of bottoms (N, C, H,
// W), divided as loss_param says: by the N·H·W positions, by N (BATCH_SIZE) or by 1
// (NONE); and for a second top the sum of each position, (N, 1, H, W), which passes
// no gradient on (R-FCN).
func lowerSmoothL1LossOHEM(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	x := legacy(b, bottom[0])
	if b.Err() != nil {
		return nil
	}
	terms := smoothL1Terms(l, b, bottom)
	divisor := x[0] * x[2] * x[3]
	switch normalization(l.GetLossParam(), caffepb.LossParameter_VALID) {
	case engine.NormBatchSize:
		divisor = x[0]
	case engine.NormNone:
		divisor = 1
	}
	loss := b.Op(engine.Reduce{Fn: engine.ReduceSum, Coeff: 1 / float32(max(divisor, 1))}, terms)
	tops := []graph.Value{preFixed(b, l.GetLossParam(), loss)}
	if len(l.GetTop()) > 1 {
		last := permute(b, b.Reshape(b.Stop(terms), x...), 0, 2, 3, 1)
		sums := b.Op(engine.Reduce{Fn: engine.ReduceSum, Axis: 3, Coeff: 1}, last)
		tops = append(tops, b.Reshape(sums, x[0], 1, x[2], x[3]))
	}
	return tops
}
