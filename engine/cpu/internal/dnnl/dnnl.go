//go:build cgo && linux

// Package dnnl is the C side of engine/cpu: kernels made of oneDNN's primitives,
// and our own loops where oneDNN has none with Caffe's meaning.
//
// The library is found at run time: it is compiled against oneDNN's headers, but
// the linker leaves the library's symbols open, and Load brings them into the
// global scope before the first call. So does libgomp, which oneDNN loads: our
// loops and its primitives share one team of threads. Nothing else of this package
// may be called before Load returned nil, but for Load.
package dnnl

/*
#cgo CXXFLAGS: -std=c++17 -O2 -Wall -fopenmp
#cgo LDFLAGS: -ldl -Wl,--export-dynamic -Wl,--unresolved-symbols=ignore-in-object-files
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

var load = sync.OnceValue(func() error {
	if why := C.gc_load(); why != nil {
		return fmt.Errorf("%s", C.GoString(why))
	}
	return nil
})

// Load finds oneDNN, once; the error says what was not found.
func Load() error { return load() }

// Libraries lists what Load found.
func Libraries() []engine.Library {
	var major, minor, patch C.int
	C.gc_version(&major, &minor, &patch)
	return []engine.Library{
		{Name: "oneDNN", Path: C.GoString(C.gc_library_path()), Version: fmt.Sprintf("%d.%d.%d", major, minor, patch)},
		{Name: "OpenMP", Path: C.GoString(C.gc_openmp_path())},
	}
}

// HasBF16 reports whether the processor has instructions for bfloat16 products and
// ONEDNN_MAX_CPU_ISA allows them.
func HasBF16() bool { return C.gc_has_bf16() != 0 }

// Alloc is memory aligned to engine.Align, or nil if there is none left.
func Alloc(bytes int64) unsafe.Pointer { return C.gc_alloc(C.int64_t(bytes)) }

// IsZero reports whether Alloc gives so many bytes cleared.
func IsZero(bytes int64) bool { return C.gc_is_zero(C.int64_t(bytes)) != 0 }

// Free returns memory of Alloc, of the size asked for there.
func Free(p unsafe.Pointer, bytes int64) { C.gc_free(p, C.int64_t(bytes)) }

// Zero clears memory, with all threads if it is large.
func Zero(p unsafe.Pointer, bytes int64, threads int) {
	C.gc_zero(p, C.int64_t(bytes), C.int(threads))
}
