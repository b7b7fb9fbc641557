//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.LRN, c *call) *C.gc_kernel {
		l := lrn(op.Size, op.Alpha, op.Beta, op.K)
		return C.gc_prepare_lrn(&l, c.io, &c.err)
	})
	register(func(op engine.LRNGrad, c *call) *C.gc_kernel {
		l := lrn(op.Size, op.Alpha, op.Beta, op.K)
		return C.gc_prepare_lrn_grad(&l, c.io, &c.err)
	})
}

func lrn(size int, alpha, beta, k float32) C.gc_lrn {
	return C.gc_lrn{size: C.int64_t(size), alpha: C.float(alpha), beta: C.float(beta), k: C.float(k)}
}
