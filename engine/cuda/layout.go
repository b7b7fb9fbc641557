//go:build cgo && linux

package cuda

import (
	"slices"

	"github.com/gocaffe/gocaffe/engine"
)

// nhwc is the layout of tensors of four axes whose channels are innermost: images by
// pixels, and weights as (O, kernel…, C). The tensor cores want it, so that it is used
// where a precision has them work: tf32 and bf16. In fp32 all tensors are plain.
const nhwc engine.Layout = 1

// layouter is a device for a precision that has layouts of its own.
type layouter struct{ *device }

// Bytes implements engine.Layouter: no layout pads.
func (d layouter) Bytes(t engine.Desc) int64 { return t.Bytes() }

// LayoutName implements engine.Layouter.
func (d layouter) LayoutName(l engine.Layout) string {
	if l == nhwc {
		return "nhwc"
	}
	return "plain"
}

// Prefer implements engine.Layouter. Convolutions want all tensors of four axes with
// their channels innermost; what works on such tensors keeps them; the rest takes and
// gives plain ones.
func (d layouter) Prefer(op engine.Op, in, out []engine.Desc) (pin, pout []engine.Desc) {
	pin, pout = slices.Clone(in), slices.Clone(out)
	layout := engine.Plain
	if keepsChannelsLast(op) {
		for _, t := range in {
			if t.Layout == nhwc {
				layout = nhwc
			}
		}
	}
	if beforeConvolutions(op) || engine.Multiplies(op) {
		layout = nhwc
	}
	for _, list := range [][]engine.Desc{pin, pout} {
		for i, t := range list {
			if t.DType == engine.None {
				continue
			}
			list[i].Layout = engine.Plain
			if len(t.Shape) == 4 && t.DType != engine.U8 {
				list[i].Layout = layout
			}
		}
	}
	return pin, pout
}

// beforeConvolutions reports whether what an op gives is as a rule read by convolutions, and
// is larger than what it is made of: pictures, and the gradient of an average.
func beforeConvolutions(op engine.Op) bool {
	switch op := op.(type) {
	case engine.Pixels:
		return true
	case engine.PoolGrad:
		return op.Method == engine.AvePool
	}
	return false
}

// keepsChannelsLast reports whether our kernel for an op works on tensors in nhwc and
// gives its outputs of four axes in it.
func keepsChannelsLast(op engine.Op) bool {
	switch op := op.(type) {
	case engine.Unary, engine.UnaryGrad, engine.Binary, engine.MaxGrad, engine.Sum, engine.Update, engine.UpdateAll, engine.Pool, engine.PoolGrad,
		engine.LRN, engine.LRNGrad, engine.BatchNorm, engine.BatchNormGrad,
		engine.BatchNormScale, engine.BatchNormScaleGrad, engine.Normalize, engine.NormalizeGrad,
		engine.PReLU, engine.PReLUGrad:
		return true
	case engine.Concat:
		return op.Axis <= 1
	case engine.Slice:
		return op.Axis <= 1
	case engine.Broadcast:
		return op.Axis == 1
	case engine.BroadcastGrad:
		return op.Rank == 0 || op.Axis == 1 && op.Rank == 1
	case engine.Reduce:
		return op.Axis == 0
	}
	return false
}
