// The functions of cuBLASLt that gocaffe calls, declared by hand; all return a
// cublasStatus_t. The same text holds for CUDA 11, 12 and 13.
//
//  X(name, (parameters), (arguments))

#define GC_CUBLASLT_SYMS(X)                                                                                                \
  X(cublasLtCreate, (void **handle), (handle))                                                                       \
  X(cublasLtDestroy, (void *handle), (handle))                                                                       \
  X(cublasLtMatmulDescCreate, (void **desc, int compute, int scale), (desc, compute, scale))                         \
  X(cublasLtMatmulDescDestroy, (void *desc), (desc))                                                                 \
  X(cublasLtMatmulDescSetAttribute, (void *desc, int attribute, const void *value, size_t bytes),                    \
    (desc, attribute, value, bytes))                                                                                 \
  X(cublasLtMatrixLayoutCreate, (void **layout, int type, uint64_t rows, uint64_t cols, int64_t ld),                 \
    (layout, type, rows, cols, ld))                                                                                  \
  X(cublasLtMatrixLayoutDestroy, (void *layout), (layout))                                                           \
  X(cublasLtMatmulPreferenceCreate, (void **preference), (preference))                                               \
  X(cublasLtMatmulPreferenceDestroy, (void *preference), (preference))                                               \
  X(cublasLtMatmulPreferenceSetAttribute, (void *preference, int attribute, const void *value, size_t bytes),        \
    (preference, attribute, value, bytes))                                                                           \
  X(cublasLtMatmulAlgoGetHeuristic,                                                                                  \
    (void *handle, void *desc, void *a, void *b, void *c, void *d, void *preference, int room, gc_cublaslt_algo *list, \
     int *got),                                                                                                      \
    (handle, desc, a, b, c, d, preference, room, list, got))                                                         \
  X(cublasLtMatmul,                                                                                                  \
    (void *handle, void *desc, const void *alpha, const void *a, void *ad, const void *b, void *bd, const void *beta, \
     const void *c, void *cd, void *d, void *dd, const void *algo, void *workspace, size_t bytes, void *stream),     \
    (handle, desc, alpha, a, ad, b, bd, beta, c, cd, d, dd, algo, workspace, bytes, stream))

// Those that return something else.
//
//  X(type, name, (parameters))

#define GC_CUBLASLT_INFO(X)                                                                                                \
  X(size_t, cublasLtGetVersion, (void))                                                                                    \
  X(const char *, cublasLtGetStatusString, (int status))
