#include "gc_cublaslt.h"

#include "dl.h"

#include <string.h>

static void *lib;

static struct {
#define X(name, params, args) int(*name) params;
  GC_CUBLASLT_SYMS(X)
#undef X
} table;

enum {
#define X(name, params, args) AT_##name,
  GC_CUBLASLT_SYMS(X)
#undef X
  COUNT
};

static const char *const names[COUNT] = {
#define X(name, params, args) #name,
  GC_CUBLASLT_SYMS(X)
#undef X
};

void gc_cublaslt_use(void *library) {
  if (lib == library)
    return;
  lib = library;
  memset(&table, 0, sizeof table);
}

const char *gc_cublaslt_name(int i) { return i >= 0 && i < COUNT ? names[i] : ""; }

#define X(name, params, args)                                                                                              \
  int gc_##name params {                                                                                             \
    return gc_symbol(lib, #name, (void **)&table.name) ? table.name args : GC_MISSING - AT_##name;             \
  }
GC_CUBLASLT_SYMS(X)
#undef X

#define X(type, name, params) static type(*at_##name) params;
GC_CUBLASLT_INFO(X)
#undef X

#define FOUND(name) gc_symbol(lib, #name, (void **)&at_##name)

size_t gc_cublaslt_get_version(void) { return FOUND(cublasLtGetVersion) ? at_cublasLtGetVersion() : 0; }

const char *gc_cublaslt_get_error_string(int status) { return FOUND(cublasLtGetStatusString) ? at_cublasLtGetStatusString(status) : ""; }

int gc_cublaslt_run(CUcontext ctx, const gc_cublaslt_matmul *k, CUstream stream, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                    uint64_t bias, uint64_t workspace, size_t bytes) {
  const float one = 1;
  if (gc_enter(ctx))
    return GC_CUBLASLT_NOT_INITIALIZED;
  if (k->bias) {
    int status = gc_cublasLtMatmulDescSetAttribute(k->desc, GC_CUBLASLT_DESC_BIAS_POINTER, &bias, sizeof bias);
    if (status)
      return status;
  }
  return gc_cublasLtMatmul(k->handle, k->desc, &one, (void *)(uintptr_t)a, k->a, (void *)(uintptr_t)b, k->b, &k->beta,
                           (void *)(uintptr_t)(c ? c : d), k->c, (void *)(uintptr_t)d, k->d, k->algo,
                           (void *)(uintptr_t)workspace, bytes, stream);
}
