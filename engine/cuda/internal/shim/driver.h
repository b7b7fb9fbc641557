// NVIDIA's driver: each function of its table as gc_NAME.
#ifndef GOCAFFE_CUDA_DRIVER_H
#define GOCAFFE_CUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "driver_syms.h"

#define GC_UNPACK(...) __VA_ARGS__
#define GC_DECLARE(ret, name, proto, args) ret gc_##name proto;
#define GC_DECLARE_IN(ret, name, proto, args) ret gc_##name(CUcontext ctx, GC_UNPACK proto);
GC_DRIVER_TABLE(GC_DECLARE, GC_DECLARE_IN)

// gc_driver_use says where the functions are looked up.
void gc_driver_use(void *lib);

// gc_driver_symbol is the name of function i of the table, NULL past its end.
const char *gc_driver_symbol(int i);

// gc_enter makes the context the calling thread's own, at no cost where it is. The
// libraries that stand on the driver (cuDNN, cuBLASLt) call it before each call too.
CUresult gc_enter(CUcontext ctx);

// gc_launch launches a kernel whose only argument is a struct of the given size.
CUresult gc_launch(CUcontext ctx, CUfunction f, const unsigned *grid, const unsigned *block, unsigned shared, CUstream s,
                   const void *args, size_t size);

// Numbers of cuda.h that driver.c uses: the marks of cuLaunchKernel's extra list, and
// options of cuModuleLoadDataEx.
enum {
  GC_PARAM_END = 0,     // CU_LAUNCH_PARAM_END
  GC_PARAM_POINTER = 1, // CU_LAUNCH_PARAM_BUFFER_POINTER
  GC_PARAM_SIZE = 2,    // CU_LAUNCH_PARAM_BUFFER_SIZE
  GC_JIT_ERROR_LOG = 5, // CU_JIT_ERROR_LOG_BUFFER
  GC_JIT_ERROR_LOG_BYTES = 6,
};

// gc_load_module compiles PTX for the device. On failure log holds the compiler's words.
CUresult gc_load_module(CUcontext ctx, CUmodule *m, const char *ptx, char *log, unsigned room);

#endif
