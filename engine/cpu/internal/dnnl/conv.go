//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.Conv, c *call) *C.gc_kernel {
		return c.conv(C.GC_CONV, op, op.Epilogue)
	})
	register(func(op engine.ConvGradData, c *call) *C.gc_kernel {
		return c.conv(C.GC_CONV_GRAD_DATA, op.Forward(), op.Epilogue)
	})
	register(func(op engine.ConvGradWeights, c *call) *C.gc_kernel {
		return c.conv(C.GC_CONV_GRAD_WEIGHTS, op.Forward(), engine.Epilogue{})
	})
}

func (c *call) conv(which C.int, op engine.Conv, e engine.Epilogue) *C.gc_kernel {
	w, ce := convWindow(op), epilogue(e)
	return C.gc_prepare_conv(which, &w, &ce, c.io, &c.err)
}

func convWindow(op engine.Conv) C.gc_window {
	w := C.gc_window{groups: C.int32_t(op.Group)}
	k := op.Kernel.List()
	w.axes = C.int32_t(len(k))
	fill(&w.kernel, k)
	fill(&w.stride, op.Stride.List())
	fill(&w.pad, op.Pad.List())
	fill(&w.dilation, op.Dilation.List())
	return w
}

// fill copies as many entries as there is room for; more axes than that are refused
// by their number.
func fill(to *[C.GC_MAX_AXES]C.int64_t, from []int) {
	for i := range min(len(from), len(to)) {
		to[i] = C.int64_t(from[i])
	}
}

func epilogue(e engine.Epilogue) C.gc_epilogue {
	return C.gc_epilogue{bias: cbool(e.Bias), add: cbool(e.Add), relu: cbool(e.Act == engine.ActReLU), slope: C.float(e.Slope),
		clip: cbool(e.Act == engine.ActClip), low: C.float(e.Low), high: C.float(e.High)}
}

func cbool(b bool) C.int32_t {
	if b {
		return 1
	}
	return 0
}

// PreferConv gives the layouts that oneDNN likes best for a convolution in any
// direction, of its first two inputs and its first output; ok is false where it
// has none to offer.
func PreferConv(op engine.Op, in, out []engine.Desc, threads int) (pin, pout []engine.Layout, ok bool) {
	var which C.int
	var forward engine.Conv
	switch op := op.(type) {
	case engine.Conv:
		which, forward = C.GC_CONV, op
	case engine.ConvGradData:
		which, forward = C.GC_CONV_GRAD_DATA, op.Forward()
	case engine.ConvGradWeights:
		which, forward = C.GC_CONV_GRAD_WEIGHTS, op.Forward()
	}
	c := newCall(in[:2], out[:1], threads)
	defer c.free()
	w := convWindow(forward)
	if C.gc_prefer_conv(which, &w, c.io, &c.err) != C.GC_OK {
		return nil, nil, false
	}
	return []engine.Layout{token(c.desc(0)), token(c.desc(1))}, []engine.Layout{token(c.desc(2))}, true
}
