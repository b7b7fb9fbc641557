//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.BatchNormScale, c *call) *C.gc_kernel {
		e := epilogue(op.Epilogue)
		return C.gc_prepare_batch_norm_scale(C.float(op.Eps), &e, c.io, &c.err)
	})
	register(func(op engine.BatchNormScaleGrad, c *call) *C.gc_kernel {
		relu := C.int(cbool(op.Act == engine.ActReLU))
		return C.gc_prepare_batch_norm_scale_grad(C.float(op.Eps), relu, C.float(op.Slope), c.io, &c.err)
	})
}
