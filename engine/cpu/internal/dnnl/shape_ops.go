//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(_ engine.Reorder, c *call) *C.gc_kernel { return C.gc_prepare_reorder(c.io, &c.err) })
	register(func(op engine.Fill, c *call) *C.gc_kernel { return C.gc_prepare_fill(C.float(op.Value), c.io, &c.err) })
	// Only one that the plan could not make an alias: a copy between plain layouts.
	register(func(_ engine.Reshape, c *call) *C.gc_kernel { return C.gc_prepare_reshape(c.io, &c.err) })
}
