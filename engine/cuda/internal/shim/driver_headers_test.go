//go:build cgo && linux

package shim

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// TestDriverHeaders compares the driver's table, and the numbers that we use, with cuda.h.
func TestDriverHeaders(t *testing.T) {
	flags := haveHeaders(t, "cuda.h")
	text := `#define __CUDA_API_VERSION_INTERNAL
#include <cuda.h>
#include <cstdint>
#include "testdata/headers.hpp"
namespace ours {
#include "driver.h"
#define DECLARE(ret, name, params, args) ret f_##name params;
GC_DRIVER_TABLE(DECLARE, DECLARE)
}
#define SAME(ret, name, params, args) static_assert(alike<decltype(&::name), decltype(&ours::f_##name)>::value, #name);
GC_DRIVER_TABLE(SAME, SAME)
static_assert(sizeof(::CUdeviceptr) == sizeof(ours::CUdeviceptr) && sizeof(::CUdevice) == sizeof(ours::CUdevice), "");
#ifdef CU_LAUNCH_PARAM_END_AS_INT
static_assert(CU_LAUNCH_PARAM_END_AS_INT == ours::GC_PARAM_END && CU_LAUNCH_PARAM_BUFFER_POINTER_AS_INT == ours::GC_PARAM_POINTER &&
	CU_LAUNCH_PARAM_BUFFER_SIZE_AS_INT == ours::GC_PARAM_SIZE, "");
#endif
`
	for ours, theirs := range map[string]string{"GC_JIT_ERROR_LOG": "CU_JIT_ERROR_LOG_BUFFER", "GC_JIT_ERROR_LOG_BYTES": "CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES"} {
		text += fmt.Sprintf("static_assert((int)ours::%s == (int)%s, \"%[1]s\");\n", ours, theirs)
	}
	mustCompile(t, flags, text+asserts(driverValues)+asserts(lostValues))
	lost := slices.Sorted(maps.Values(lostValues))
	if mine := slices.Sorted(slices.Values(lostCodes)); !slices.Equal(lost, mine) {
		t.Errorf("codes that stick: %v here, %v in lostCodes", lost, mine)
	}
}

var driverValues = map[string]int{
	"CUDA_ERROR_OUT_OF_MEMORY": codeOutOfMemory,
	"CUDA_ERROR_NO_DEVICE":     codeNoDevice,

	"CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK":             int(MaxThreadsPerBlock),
	"CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X":                   int(MaxBlockX),
	"CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z":                   int(MaxBlockX) + 2,
	"CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X":                    int(MaxGridX),
	"CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z":                    int(MaxGridX) + 2,
	"CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK":       int(SharedPerBlock),
	"CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY":             int(ConstantMemory),
	"CU_DEVICE_ATTRIBUTE_WARP_SIZE":                         int(WarpSize),
	"CU_DEVICE_ATTRIBUTE_MAX_PITCH":                         int(MaxPitch),
	"CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK":           int(RegistersPerBlock),
	"CU_DEVICE_ATTRIBUTE_CLOCK_RATE":                        int(ClockRate),
	"CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT":                 int(TextureAlignment),
	"CU_DEVICE_ATTRIBUTE_GPU_OVERLAP":                       int(Overlap),
	"CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT":              int(Multiprocessors),
	"CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT":               int(KernelTimeout),
	"CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR":          int(CapabilityMajor),
	"CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR":          int(CapabilityMinor),
	"CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN": int(SharedPerBlockOptin),
	"CU_STREAM_NON_BLOCKING":                                nonBlocking,
	"CU_EVENT_DISABLE_TIMING":                               noTiming,
	"CU_STREAM_CAPTURE_MODE_THREAD_LOCAL":                   threadLocal,
	"CUDA_ERROR_STUB_LIBRARY":                               codeStub,
	"CUDA_ERROR_INVALID_DEVICE":                             codeDeviceNotValid,
	"CUDA_ERROR_SYSTEM_NOT_READY":                           codeNotReady,
	"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH":                     codeMismatch,
	"CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE":             codeNotCompatible,
	"CUDA_ERROR_UNKNOWN":                                    codeUnknown,
}

// lostValues are the codes that stick to a context.
var lostValues = map[string]int{
	"CUDA_ERROR_DEVICE_UNAVAILABLE":    46, // Error.Lost
	"CUDA_ERROR_ECC_UNCORRECTABLE":     214,
	"CUDA_ERROR_ILLEGAL_ADDRESS":       700,
	"CUDA_ERROR_LAUNCH_TIMEOUT":        702,
	"CUDA_ERROR_CONTEXT_IS_DESTROYED":  709,
	"CUDA_ERROR_ASSERT":                710,
	"CUDA_ERROR_HARDWARE_STACK_ERROR":  714,
	"CUDA_ERROR_ILLEGAL_INSTRUCTION":   715,
	"CUDA_ERROR_MISALIGNED_ADDRESS":    716,
	"CUDA_ERROR_INVALID_ADDRESS_SPACE": 717,
	"CUDA_ERROR_INVALID_PC":            718,
	"CUDA_ERROR_LAUNCH_FAILED":         719,
	"CUDA_ERROR_UNKNOWN":               999,
}
