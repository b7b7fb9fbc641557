#include "gc_cudnn.h"

#include "dl.h"

#include <string.h>

static void *lib;

static struct {
#define X(name, params, args) int(*name) params;
  GC_CUDNN_SYMS(X)
#undef X
} table;

enum {
#define X(name, params, args) AT_##name,
  GC_CUDNN_SYMS(X)
#undef X
  COUNT
};

static const char *const names[COUNT] = {
#define X(name, params, args) #name,
  GC_CUDNN_SYMS(X)
#undef X
};

void gc_cudnn_use(void *library) {
  if (lib == library)
    return;
  lib = library;
  memset(&table, 0, sizeof table);
}

const char *gc_cudnn_name(int i) { return i >= 0 && i < COUNT ? names[i] : ""; }

#define X(name, params, args)                                                                                              \
  int gc_##name params {                                                                                             \
    return gc_symbol(lib, #name, (void **)&table.name) ? table.name args : GC_MISSING - AT_##name;             \
  }
GC_CUDNN_SYMS(X)
#undef X

size_t gc_cudnn_get_version(void) {
  static size_t (*version)(void);
  return gc_symbol(lib, "cudnnGetVersion", (void **)&version) ? version() : 0;
}

size_t gc_cudnn_get_cudart_version(void) {
  static size_t (*version)(void);
  return gc_symbol(lib, "cudnnGetCudartVersion", (void **)&version) ? version() : 0;
}

const char *gc_cudnn_get_error_string(int status) {
  static const char *(*text)(int);
  return gc_symbol(lib, "cudnnGetErrorString", (void **)&text) ? text(status) : "";
}

void gc_cudnn_get_last_error(char *message, size_t room) {
  static void (*last)(char *, size_t);
  message[0] = 0;
  if (gc_symbol(lib, "cudnnGetLastErrorString", (void **)&last))
    last(message, room);
  message[room - 1] = 0;
}

// enter answers with cuDNN's CUDNN_STATUS_NOT_INITIALIZED where the driver refuses.
static int enter(CUcontext ctx) { return gc_enter(ctx) ? 1 : 0; }

int gc_cudnn_run_conv(CUcontext ctx, const gc_cudnn_conv *k, CUstream stream, uint64_t a_at, uint64_t b_at, uint64_t c_at,
                      uint64_t workspace_at, size_t bytes) {
  const float one = 1, zero = 0;
  void *a = (void *)(uintptr_t)a_at, *b = (void *)(uintptr_t)b_at, *c = (void *)(uintptr_t)c_at;
  void *workspace = (void *)(uintptr_t)workspace_at;
  int status = enter(ctx);
  if (!status)
    status = gc_cudnnSetStream(k->handle, stream);
  if (status)
    return status;
  switch (k->direction) {
  case 0:
    return gc_cudnnConvolutionForward(k->handle, &one, k->a, a, k->b, b, k->conv, k->algo, workspace, bytes, &zero,
                                      k->c, c);
  case 1:
    return gc_cudnnConvolutionBackwardData(k->handle, &one, k->a, a, k->b, b, k->conv, k->algo, workspace, bytes,
                                           &zero, k->c, c);
  default:
    return gc_cudnnConvolutionBackwardFilter(k->handle, &one, k->a, a, k->b, b, k->conv, k->algo, workspace, bytes,
                                             &zero, k->c, c);
  }
}

// Attributes of a variant pack and their types.
enum { VARIANT_PACK = 16, PACK_IDS = 1000, PACK_POINTERS = 1001, PACK_WORKSPACE = 1003, TYPE_INT64 = 3, TYPE_POINTER = 6 };

int gc_cudnn_run_plan(CUcontext ctx, void *handle, CUstream stream, void *plan, int n, const int64_t *ids, const uint64_t *pointers,
                      uint64_t workspace) {
  void *pack = NULL;
  int status = enter(ctx);
  if (!status)
    status = gc_cudnnSetStream(handle, stream);
  if (!status)
    status = gc_cudnnBackendCreateDescriptor(VARIANT_PACK, &pack);
  if (status)
    return status;
  status = gc_cudnnBackendSetAttribute(pack, PACK_IDS, TYPE_INT64, n, ids);
  if (!status)
    status = gc_cudnnBackendSetAttribute(pack, PACK_POINTERS, TYPE_POINTER, n, pointers);
  if (!status)
    status = gc_cudnnBackendSetAttribute(pack, PACK_WORKSPACE, TYPE_POINTER, 1, &workspace);
  if (!status)
    status = gc_cudnnBackendFinalize(pack);
  if (!status)
    status = gc_cudnnBackendExecute(handle, plan, pack);
  gc_cudnnBackendDestroyDescriptor(pack);
  return status;
}
