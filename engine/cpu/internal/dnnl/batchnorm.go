//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.BatchNorm, c *call) *C.gc_kernel {
		return C.gc_prepare_batch_norm(C.float(op.Eps), c.io, &c.err)
	})
	register(func(op engine.BatchNormGrad, c *call) *C.gc_kernel {
		return C.gc_prepare_batch_norm_grad(C.float(op.Eps), c.io, &c.err)
	})
	register(func(op engine.Normalize, c *call) *C.gc_kernel {
		return C.gc_prepare_normalize(C.float(op.Eps), c.io, &c.err)
	})
	register(func(op engine.NormalizeGrad, c *call) *C.gc_kernel {
		return C.gc_prepare_normalize_grad(C.float(op.Eps), c.io, &c.err)
	})
	register(func(_ engine.MovingStats, c *call) *C.gc_kernel { return C.gc_prepare_moving_stats(c.io, &c.err) })
	register(func(op engine.MovingUpdate, c *call) *C.gc_kernel {
		return C.gc_prepare_moving_update(C.float(op.Fraction), C.int64_t(op.Count), c.io, &c.err)
	})
}
