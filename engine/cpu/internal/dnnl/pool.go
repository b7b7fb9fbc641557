//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.Pool, c *call) *C.gc_kernel {
		w := poolWindow(op)
		return C.gc_prepare_pool(C.int(op.Method), C.int(cbool(op.Mask)), &w, c.io, &c.err)
	})
	register(func(op engine.PoolGrad, c *call) *C.gc_kernel {
		w := poolWindow(op.Forward())
		return C.gc_prepare_pool_grad(C.int(op.Method), C.int(cbool(op.Mask)), &w, c.io, &c.err)
	})
}

func poolWindow(op engine.Pool) C.gc_window {
	w := C.gc_window{groups: 1}
	k := op.Kernel.List()
	w.axes = C.int32_t(len(k))
	fill(&w.kernel, k)
	fill(&w.stride, op.Stride.List())
	fill(&w.pad, op.Pad.List())
	fill(&w.out, op.Out.List())
	return w
}
