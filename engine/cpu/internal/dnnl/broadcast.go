//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.Broadcast, c *call) *C.gc_kernel {
		return C.gc_prepare_broadcast(C.int(op.Fn), C.int(op.Axis), c.io, &c.err)
	})
	register(func(op engine.BroadcastGrad, c *call) *C.gc_kernel {
		return C.gc_prepare_broadcast_grad(C.int(op.Fn), C.int(op.Axis), C.int(op.Rank), c.io, &c.err)
	})
}
