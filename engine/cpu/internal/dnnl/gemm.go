//go:build cgo && linux

package dnnl

// #include "shim.h"
import "C"

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(func(op engine.Gemm, c *call) *C.gc_kernel {
		e := epilogue(op.Epilogue)
		return C.gc_prepare_gemm(C.int(cbool(op.TransA)), C.int(cbool(op.TransB)), &e, c.io, &c.err)
	})
}
