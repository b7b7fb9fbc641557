//go:build cgo && linux

package shim

// #include "driver.h"
import "C"

import (
	"errors"
	"unsafe"
)

// IsOutOfMemory reports whether the driver has no memory left.
func IsOutOfMemory(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == codeOutOfMemory
}

// Alloc is memory on the GPU.
func (c *Context) Alloc(bytes int64) (at uint64, err error) {
	var p C.CUdeviceptr
	err = c.check("cuMemAlloc", C.gc_cuMemAlloc_v2(c.c, &p, C.size_t(bytes)))
	return uint64(p), err
}

// Free returns memory of Alloc. It waits for the GPU.
func (c *Context) Free(at uint64) error {
	return c.check("cuMemFree", C.gc_cuMemFree_v2(c.c, C.CUdeviceptr(at)))
}

// FreeMemory is what is left on the GPU, and all that it has.
func (c *Context) FreeMemory() (free, total int64, err error) {
	var f, t C.size_t
	err = c.check("cuMemGetInfo", C.gc_cuMemGetInfo_v2(c.c, &f, &t))
	return int64(f), int64(t), err
}

// AllocHost is pinned memory of the host, which copies to and from the GPU run from
// while the program goes on.
func (c *Context) AllocHost(bytes int64) ([]byte, error) {
	var p unsafe.Pointer
	if err := c.check("cuMemHostAlloc", C.gc_cuMemHostAlloc(c.c, &p, C.size_t(bytes), 0)); err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), bytes), nil
}

// FreeHost returns memory of AllocHost.
func (c *Context) FreeHost(mem []byte) error {
	return c.check("cuMemFreeHost", C.gc_cuMemFreeHost(c.c, unsafe.Pointer(unsafe.SliceData(mem))))
}
