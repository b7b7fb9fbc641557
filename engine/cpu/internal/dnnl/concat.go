//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.Concat, c *call) *C.gc_kernel { return C.gc_prepare_concat(C.int(op.Axis), c.io, &c.err) })
	register(func(op engine.Slice, c *call) *C.gc_kernel { return C.gc_prepare_slice(C.int(op.Axis), c.io, &c.err) })
}
