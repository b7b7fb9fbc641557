// cuBLASLt behind a table of functions, each looked up at its first call.

#ifndef GOCAFFE_SHIM_CUBLASLT_H
#define GOCAFFE_SHIM_CUBLASLT_H

#include <stddef.h>
#include <stdint.h>

// gc_cublaslt_algo is cublasLtMatmulHeuristicResult_t: the opaque algorithm, its
// workspace, whether it works, and how many waves it takes.
typedef struct {
  uint64_t algo[8];
  size_t workspace;
  int status;
  float waves;
  int reserved[4];
} gc_cublaslt_algo;

#include "cublaslt_syms.h"
#include "driver.h"

#define X(name, params, args) int gc_##name params;
GC_CUBLASLT_SYMS(X)
#undef X

// Numbers of cuBLAS's headers that cublaslt.c uses.
enum {
  GC_CUBLASLT_NOT_INITIALIZED = 1,      // CUBLAS_STATUS_NOT_INITIALIZED
  GC_CUBLASLT_DESC_BIAS_POINTER = 8, // CUBLASLT_MATMUL_DESC_BIAS_POINTER
};

// As for cuDNN: the library, the table's names, and what returns no status.
void gc_cublaslt_use(void *library);
const char *gc_cublaslt_name(int i);
size_t gc_cublaslt_get_version(void);
const char *gc_cublaslt_get_error_string(int status);

// gc_cublaslt_matmul is a product ready to run, in cuBLASLt's column-major words.
typedef struct {
  void *handle, *desc, *a, *b, *c, *d;
  uint64_t algo[8];
  float beta; // of C: 0 or 1
  int bias;   // the epilogue reads a bias
} gc_cublaslt_matmul;

int gc_cublaslt_run(CUcontext ctx, const gc_cublaslt_matmul *k, CUstream stream, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                    uint64_t bias, uint64_t workspace, size_t bytes);

#endif
