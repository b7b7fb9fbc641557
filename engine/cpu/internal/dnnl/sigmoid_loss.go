//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.SigmoidLoss, c *call) *C.gc_kernel {
		l := loss(0, op.HasIgnore, op.Ignore, op.Norm)
		return C.gc_prepare_sigmoid_loss(&l, c.io, &c.err)
	})
	register(func(op engine.SigmoidLossGrad, c *call) *C.gc_kernel {
		l := loss(0, op.HasIgnore, op.Ignore, op.Norm)
		return C.gc_prepare_sigmoid_loss_grad(&l, c.io, &c.err)
	})
}
