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

#define X(type, name, params) static type(*at_##name) params;
GC_CUDNN_INFO(X)
GC_CUDNN_INFO_9(X)
#undef X

#define FOUND(name) gc_symbol(lib, #name, (void **)&at_##name)

size_t gc_cudnn_get_version(void) { return FOUND(cudnnGetVersion) ? at_cudnnGetVersion() : 0; }

size_t gc_cudnn_get_cudart_version(void) { return FOUND(cudnnGetCudartVersion) ? at_cudnnGetCudartVersion() : 0; }

const char *gc_cudnn_get_error_string(int status) { return FOUND(cudnnGetErrorString) ? at_cudnnGetErrorString(status) : ""; }

void gc_cudnn_get_last_error(char *message, size_t room) {
  message[0] = 0;
  if (FOUND(cudnnGetLastErrorString))
    at_cudnnGetLastErrorString(message, room);
  message[room - 1] = 0;
}

// enter answers with cuDNN's CUDNN_STATUS_NOT_INITIALIZED where the driver refuses.
static int enter(CUcontext ctx) { return gc_enter(ctx) ? GC_CUDNN_NOT_INITIALIZED : 0; }

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

int gc_cudnn_run_plan(CUcontext ctx, void *handle, CUstream stream, void *plan, int n, const int64_t *ids, const uint64_t *pointers,
                      uint64_t workspace) {
  void *pack = NULL;
  int status = enter(ctx);
  if (!status)
    status = gc_cudnnSetStream(handle, stream);
  if (!status)
    status = gc_cudnnBackendCreateDescriptor(GC_CUDNN_VARIANT_PACK, &pack);
  if (status)
    return status;
  status = gc_cudnnBackendSetAttribute(pack, GC_CUDNN_PACK_IDS, GC_CUDNN_TYPE_INT64, n, ids);
  if (!status)
    status = gc_cudnnBackendSetAttribute(pack, GC_CUDNN_PACK_POINTERS, GC_CUDNN_TYPE_POINTER, n, pointers);
  if (!status)
    status = gc_cudnnBackendSetAttribute(pack, GC_CUDNN_PACK_WORKSPACE, GC_CUDNN_TYPE_POINTER, 1, &workspace);
  if (!status)
    status = gc_cudnnBackendFinalize(pack);
  if (!status)
    status = gc_cudnnBackendExecute(handle, plan, pack);
  gc_cudnnBackendDestroyDescriptor(pack);
  return status;
}
