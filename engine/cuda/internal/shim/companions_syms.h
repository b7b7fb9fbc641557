// The functions that tell the versions of libraries from which we call nothing else,
// declared by hand; all return a status, 0 for success.
//
//  X(name, (parameters), (arguments))

#define GC_COMPANION_SYMS(X)                                                                                                \
  X(cublasGetProperty, (int which, int *value), (which, value))                                                      \
  X(nvrtcVersion, (int *major, int *minor), (major, minor))                                                          \
  X(ncclGetVersion, (int *version), (version))
