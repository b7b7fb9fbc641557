//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.Reduce, c *call) *C.gc_kernel {
		return C.gc_prepare_reduce(C.int(op.Fn), C.int(op.Axis), C.float(op.Coeff), c.io, &c.err)
	})
	register(func(op engine.ReduceGrad, c *call) *C.gc_kernel {
		return C.gc_prepare_reduce_grad(C.int(op.Fn), C.int(op.Axis), C.float(op.Coeff), c.io, &c.err)
	})
}
