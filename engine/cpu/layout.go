package cpu

import (
	"slices"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cpu/internal/dnnl"
)

// Bytes implements engine.Layouter.
func (d *device) Bytes(t engine.Desc) int64 {
	if t.Layout != engine.Plain {
		if n := dnnl.Bytes(t); n >= 0 {
			return n
		}
	}
	return t.Bytes()
}

// Contiguous implements engine.Divider: activations lie by item, then by block of
// channels, unless the channels are innermost.
func (d *device) Contiguous(whole engine.Desc, axis int) bool {
	block := dnnl.ChannelBlock(whole)
	switch axis {
	case 0:
		return block > 0
	case 1:
		return block > 1 && whole.Shape[0] == 1
	}
	return false
}

// LayoutName implements engine.Layouter.
func (d *device) LayoutName(l engine.Layout) string {
	if l == engine.Plain {
		return "plain"
	}
	return dnnl.LayoutName(l)
}

// Prefer implements engine.Layouter. Convolutions ask oneDNN. What works on any
// layout keeps that of its input; the rest takes and gives plain tensors.
func (d *device) Prefer(op engine.Op, in, out []engine.Desc) (pin, pout []engine.Desc) {
	pin, pout = slices.Clone(in), slices.Clone(out)
	switch op := op.(type) {
	case engine.Conv, engine.ConvGradData, engine.ConvGradWeights:
		d.convolution(op, pin, pout)
		return pin, pout
	case engine.PoolGrad:
		like := in[0]
		if len(in) > 1 { // the index is as oneDNN wrote it: it cannot be moved
			like.Layout = in[1].Layout
		}
		setAll(pin, like.Layout)
		setAll(pout, like.Layout)
		return pin, pout
	}
	like := follow(op, in, out)
	setLike(pin, like)
	setLike(pout, like)
	return pin, pout
}

// convolution asks oneDNN for x, w and y; a tensor to add lies like the output.
func (d *device) convolution(op engine.Op, in, out []engine.Desc) {
	if out[0].DType == engine.None {
		setAll(in, engine.Plain)
		setAll(out, engine.Plain)
		return
	}
	pin, pout, ok := dnnl.PreferConv(op, in, out, d.threads)
	if !ok {
		setAll(in, engine.Plain)
		setAll(out, engine.Plain)
		return
	}
	out[0].Layout = pout[0]
	in[0].Layout, in[1].Layout = pin[0], pin[1]
	for i := range in[2:] {
		in[2+i].Layout = engine.Plain
		if len(in[2+i].Shape) > 1 {
			in[2+i].Layout = pout[0]
		}
	}
}

// setAll gives all tensors one layout.
func setAll(ds []engine.Desc, l engine.Layout) {
	for i := range ds {
		if ds[i].DType != engine.None {
			ds[i].Layout = l
		}
	}
}

// setLike gives the tensors that have as many axes as like its layout, and the
// others the plain one.
func setLike(ds []engine.Desc, like engine.Desc) {
	for i, d := range ds {
		if d.DType == engine.None {
			continue
		}
		ds[i].Layout = engine.Plain
		if len(d.Shape) == len(like.Shape) {
			ds[i].Layout = like.Layout
		}
	}
}

// follow is the tensor whose layout all tensors of its rank take: the first of the
// inputs that is not plain, if the op can work on that layout.
func follow(op engine.Op, in, out []engine.Desc) engine.Desc {
	none := engine.Desc{}
	like := none
	for _, d := range in {
		if d.Layout != engine.Plain {
			like = d
			break
		}
	}
	if like.Layout == engine.Plain {
		return none
	}
	block := dnnl.ChannelBlock(like)
	ok := false
	switch op := op.(type) {
	case engine.Unary, engine.UnaryGrad, engine.Binary, engine.MaxGrad, engine.Sum, engine.Update:
		ok = true
	case engine.Pool, engine.LRN, engine.LRNGrad, engine.BatchNorm, engine.BatchNormGrad, engine.BatchNormScale,
		engine.BatchNormScaleGrad, engine.Normalize, engine.NormalizeGrad, engine.PReLU, engine.PReLUGrad:
		ok = block > 0
	case engine.Broadcast:
		ok = block > 0 && len(in[1].Shape) <= 1 && (op.Axis == 1 || len(in[1].Shape) == 0)
	case engine.BroadcastGrad:
		ok = block > 0 && (op.Rank == 0 || op.Rank == 1 && op.Axis == 1)
	case engine.Reduce:
		ok = op.Axis == 0
	case engine.ReduceGrad:
		ok = op.Axis == 0 && block > 0
	case engine.Concat:
		ok = cuts(op.Axis, block, in)
	case engine.Slice:
		parts, err := op.Infer(in)
		ok = err == nil && cuts(op.Axis, block, parts)
	}
	if !ok {
		return none
	}
	return like
}

// cuts reports whether tensors side by side along axis are whole blocks.
func cuts(axis, block int, parts []engine.Desc) bool {
	if axis != 1 {
		return axis == 0
	}
	for _, d := range parts[:len(parts)-1] {
		if block == 0 || d.Shape[1]%block != 0 {
			return false
		}
	}
	return block > 0
}
