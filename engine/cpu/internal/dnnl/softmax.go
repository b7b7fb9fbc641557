//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.Softmax, c *call) *C.gc_kernel {
		return C.gc_prepare_softmax(C.int(op.Axis), c.io, &c.err)
	})
	register(func(op engine.SoftmaxGrad, c *call) *C.gc_kernel {
		return C.gc_prepare_softmax_grad(C.int(op.Axis), c.io, &c.err)
	})
	register(func(op engine.SoftmaxLoss, c *call) *C.gc_kernel {
		l := loss(op.Axis, op.HasIgnore, op.Ignore, op.Norm)
		return C.gc_prepare_softmax_loss(&l, c.io, &c.err)
	})
	register(func(op engine.SoftmaxLossGrad, c *call) *C.gc_kernel {
		l := loss(op.Axis, op.HasIgnore, op.Ignore, op.Norm)
		return C.gc_prepare_softmax_loss_grad(&l, c.io, &c.err)
	})
}

func loss(axis int, hasIgnore bool, ignore int, norm engine.Normalization) C.gc_loss {
	return C.gc_loss{axis: C.int32_t(axis), has_ignore: cbool(hasIgnore), ignore: C.int32_t(ignore), norm: C.int32_t(norm)}
}
