//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import (
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(func(op engine.Binary, c *call) *C.gc_kernel {
		return C.gc_prepare_binary(C.int(op.Fn), C.int(cbool(op.TieSecond)), c.io, &c.err)
	})
	register(func(op engine.MaxGrad, c *call) *C.gc_kernel {
		return C.gc_prepare_max_grad(C.int(cbool(op.TieSecond)), c.io, &c.err)
	})
	register(func(op engine.Sum, c *call) *C.gc_kernel {
		var coeff *C.float // nil: all ones
		if list := op.Coeff.List(); len(list) > 0 {
			coeff = (*C.float)(unsafe.Pointer(&list[0]))
		}
		return C.gc_prepare_sum(coeff, C.int(cbool(op.Act == engine.ActReLU)), C.float(op.Slope), c.io, &c.err)
	})
}
