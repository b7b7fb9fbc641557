// cuDNN behind a table of functions, each looked up at its first call.

#ifndef GOCAFFE_SHIM_CUDNN_H
#define GOCAFFE_SHIM_CUDNN_H

#include <stddef.h>
#include <stdint.h>

// gc_cudnn_algo is cudnnConvolution{Fwd,BwdData,BwdFilter}AlgoPerf_t: the three
// have one layout.
typedef struct {
  int algo;
  int status;
  float time;
  size_t memory;
  int determinism;
  int math;
  int reserved[3];
} gc_cudnn_algo;

#include "cudnn_syms.h"
#include "driver.h"

#define X(name, params, args) int gc_##name params;
GC_CUDNN_SYMS(X)
#undef X

// Numbers of cuDNN's headers that cudnn.c uses: a variant pack, its attributes and their
// types; the status of a library that is not ready, which is another one in cuDNN 8.
enum {
  GC_CUDNN_VARIANT_PACK = 16,
  GC_CUDNN_PACK_IDS = 1000,
  GC_CUDNN_PACK_POINTERS = 1001,
  GC_CUDNN_PACK_WORKSPACE = 1003,
  GC_CUDNN_TYPE_INT64 = 3,
  GC_CUDNN_TYPE_POINTER = 6,
  GC_CUDNN_NOT_INITIALIZED = 1001,
};

// gc_cudnn_use says which library the functions are looked up in.
void gc_cudnn_use(void *library);
// gc_cudnn_name is the name of function i of the table.
const char *gc_cudnn_name(int i);

// Functions that return no status: 0 or "" where the library lacks them.
size_t gc_cudnn_get_version(void);
size_t gc_cudnn_get_cudart_version(void);
const char *gc_cudnn_get_error_string(int status);
void gc_cudnn_get_last_error(char *message, size_t room);

// gc_cudnn_conv is one call of the legacy API. Direction 0 is forward, 1 the
// gradient of the data, 2 of the weights; a and b are the inputs in the order of
// cuDNN's function, c the output. Outputs are overwritten. ctx is the stream's context.
typedef struct {
  void *handle, *a, *b, *conv, *c;
  int direction, algo;
} gc_cudnn_conv;

int gc_cudnn_run_conv(CUcontext ctx, const gc_cudnn_conv *k, CUstream stream, uint64_t a_at, uint64_t b_at, uint64_t c_at,
                      uint64_t workspace_at, size_t bytes);

// gc_cudnn_run_plan executes a finalised plan on n tensors. The variant pack
// lives for the call.
int gc_cudnn_run_plan(CUcontext ctx, void *handle, CUstream stream, void *plan, int n, const int64_t *ids, const uint64_t *pointers,
                      uint64_t workspace);

#endif
