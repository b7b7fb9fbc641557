// The functions of libcuda.so.1 that we call, by the versioned names that the driver
// exports: a driver keeps those for the programs of older toolkits, so that no
// header's version matters.
//
//   X(return type, name, prototype, arguments)   calls as it is
//   C(return type, name, prototype, arguments)   takes our context as first argument
//                                                and makes it the thread's own before

typedef int CUresult;
typedef int CUdevice;
typedef uint64_t CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUgraph_st *CUgraph;
typedef struct CUgraphExec_st *CUgraphExec;

#define GC_DRIVER_TABLE(X, C)                                                                            \
  X(CUresult, cuInit, (unsigned flags), (flags))                                                         \
  X(CUresult, cuDriverGetVersion, (int *version), (version))                                             \
  X(CUresult, cuGetErrorName, (CUresult code, const char **text), (code, text))                          \
  X(CUresult, cuGetErrorString, (CUresult code, const char **text), (code, text))                        \
  X(CUresult, cuDeviceGetCount, (int *count), (count))                                                   \
  X(CUresult, cuDeviceGet, (CUdevice * dev, int ordinal), (dev, ordinal))                                \
  X(CUresult, cuDeviceGetName, (char *name, int len, CUdevice dev), (name, len, dev))                    \
  X(CUresult, cuDeviceGetAttribute, (int *value, int which, CUdevice dev), (value, which, dev))          \
  X(CUresult, cuDeviceTotalMem_v2, (size_t * bytes, CUdevice dev), (bytes, dev))                         \
  X(CUresult, cuDevicePrimaryCtxRetain, (CUcontext * ctx, CUdevice dev), (ctx, dev))                     \
  X(CUresult, cuDevicePrimaryCtxRelease_v2, (CUdevice dev), (dev))                                       \
  X(CUresult, cuCtxSetCurrent, (CUcontext ctx), (ctx))                                                   \
  C(CUresult, cuMemGetInfo_v2, (size_t * free, size_t * total), (free, total))                           \
  C(CUresult, cuMemAlloc_v2, (CUdeviceptr * at, size_t bytes), (at, bytes))                              \
  C(CUresult, cuMemFree_v2, (CUdeviceptr at), (at))                                                      \
  C(CUresult, cuMemHostAlloc, (void **at, size_t bytes, unsigned flags), (at, bytes, flags))             \
  C(CUresult, cuMemFreeHost, (void *at), (at))                                                           \
  C(CUresult, cuMemcpyHtoDAsync_v2, (CUdeviceptr dst, const void *src, size_t n, CUstream s), (dst, src, n, s)) \
  C(CUresult, cuMemcpyDtoHAsync_v2, (void *dst, CUdeviceptr src, size_t n, CUstream s), (dst, src, n, s)) \
  C(CUresult, cuMemcpyDtoDAsync_v2, (CUdeviceptr dst, CUdeviceptr src, size_t n, CUstream s), (dst, src, n, s)) \
  C(CUresult, cuMemsetD8Async, (CUdeviceptr at, unsigned char v, size_t n, CUstream s), (at, v, n, s))   \
  C(CUresult, cuStreamCreate, (CUstream * s, unsigned flags), (s, flags))                                \
  C(CUresult, cuStreamDestroy_v2, (CUstream s), (s))                                                     \
  C(CUresult, cuStreamSynchronize, (CUstream s), (s))                                                    \
  C(CUresult, cuStreamWaitEvent, (CUstream s, CUevent e, unsigned flags), (s, e, flags))                 \
  C(CUresult, cuStreamBeginCapture_v2, (CUstream s, int mode), (s, mode))                                \
  C(CUresult, cuStreamEndCapture, (CUstream s, CUgraph * g), (s, g))                                     \
  C(CUresult, cuGraphInstantiateWithFlags, (CUgraphExec * x, CUgraph g, unsigned long long flags), (x, g, flags)) \
  C(CUresult, cuGraphLaunch, (CUgraphExec x, CUstream s), (x, s))                                        \
  C(CUresult, cuGraphExecDestroy, (CUgraphExec x), (x))                                                  \
  C(CUresult, cuGraphDestroy, (CUgraph g), (g))                                                          \
  C(CUresult, cuEventCreate, (CUevent * e, unsigned flags), (e, flags))                                  \
  C(CUresult, cuEventDestroy_v2, (CUevent e), (e))                                                       \
  C(CUresult, cuEventRecord, (CUevent e, CUstream s), (e, s))                                            \
  C(CUresult, cuEventSynchronize, (CUevent e), (e))                                                      \
  C(CUresult, cuEventElapsedTime, (float *ms, CUevent from, CUevent to), (ms, from, to))                 \
  C(CUresult, cuModuleLoadDataEx, (CUmodule * m, const void *image, unsigned n, int *options, void **values), \
    (m, image, n, options, values))                                                                      \
  C(CUresult, cuModuleUnload, (CUmodule m), (m))                                                         \
  C(CUresult, cuModuleGetFunction, (CUfunction * f, CUmodule m, const char *name), (f, m, name))         \
  C(CUresult, cuLaunchKernel,                                                                            \
    (CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, \
     CUstream s, void **params, void **extra),                                                           \
    (f, gx, gy, gz, bx, by, bz, shared, s, params, extra))
