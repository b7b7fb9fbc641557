//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(_ engine.PReLU, c *call) *C.gc_kernel { return C.gc_prepare_prelu(c.io, &c.err) })
	register(func(_ engine.PReLUGrad, c *call) *C.gc_kernel { return C.gc_prepare_prelu_grad(c.io, &c.err) })
}
