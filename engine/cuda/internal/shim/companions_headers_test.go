//go:build cgo && linux

package shim

import "testing"

// TestCompanionHeaders compares companions_syms.h with the headers of cuBLAS, NVRTC and
// NCCL.
func TestCompanionHeaders(t *testing.T) {
	flags := haveHeaders(t, "cublas_v2.h", "nvrtc.h", "nccl.h", "cuda_runtime_api.h", "crt/host_defines.h")
	mustCompile(t, flags, `#include <cublas_v2.h>
#include <nvrtc.h>
#include <nccl.h>
#include "testdata/headers.hpp"
#include "companions_syms.h"
GC_COMPANION_SYMS(STATUS)
static_assert(NCCL_VERSION_CODE >= 20900 && NCCL_VERSION(2, 11, 4) == 21104, "ncclGetVersion's way of counting");
`+asserts(map[string]int{"MAJOR_VERSION": propertyMajor, "MINOR_VERSION": propertyMajor + 1, "PATCH_LEVEL": propertyMajor + 2, "ncclSuccess": 0, "NVRTC_SUCCESS": 0, "CUBLAS_STATUS_SUCCESS": 0}))
}
