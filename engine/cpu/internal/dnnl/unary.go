//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.Unary, c *call) *C.gc_kernel {
		return C.gc_prepare_unary(C.int(op.Fn), C.float(op.A), C.float(op.B), C.float(op.C), c.io, &c.err)
	})
	register(func(op engine.UnaryGrad, c *call) *C.gc_kernel {
		out := C.int(cbool(op.Forward().GradReadsOutput()))
		return C.gc_prepare_unary_grad(C.int(op.Fn), out, C.float(op.A), C.float(op.B), C.float(op.C), c.io, &c.err)
	})
}
