#include "driver.h"

#include "dl.h"

static void *lib;

void gc_driver_use(void *at) { lib = at; }

// Each function's number in the table.
#define NUMBER(ret, name, proto, args) N_##name,
enum { GC_DRIVER_TABLE(NUMBER, NUMBER) N_END };

#define NAME(ret, name, proto, args) #name,
static const char *const names[] = {GC_DRIVER_TABLE(NAME, NAME)};

const char *gc_driver_symbol(int i) { return i >= 0 && i < N_END ? names[i] : NULL; }

#define DEFINE(ret, name, proto, args)                                                \
  ret gc_##name proto {                                                               \
    static ret(*entry) proto;                                                           \
    if (!gc_symbol(lib, #name, (void **)&entry)) return GC_MISSING - N_##name;            \
    return entry args;                                                                    \
  }
#define DEFINE_IN(ret, name, proto, args)                                             \
  ret gc_##name(CUcontext ctx, GC_UNPACK proto) {                                     \
    static ret(*entry) proto;                                                           \
    if (!gc_symbol(lib, #name, (void **)&entry)) return GC_MISSING - N_##name;            \
    CUresult entered = gc_enter(ctx);                                                 \
    return entered ? entered : entry args;                                                \
  }
GC_DRIVER_TABLE(DEFINE, DEFINE_IN)

CUresult gc_enter(CUcontext ctx) {
  static __thread CUcontext current;
  if (current == ctx) return 0;
  CUresult r = gc_cuCtxSetCurrent(ctx);
  if (r == 0) current = ctx;
  return r;
}

#define MARK(number) ((void *)(uintptr_t)(number))

CUresult gc_launch(CUcontext ctx, CUfunction f, const unsigned *grid, const unsigned *block, unsigned shared, CUstream s,
                   const void *args, size_t size) {
  void *extra[] = {MARK(GC_PARAM_POINTER), (void *)args, MARK(GC_PARAM_SIZE), &size, MARK(GC_PARAM_END)};
  return gc_cuLaunchKernel(ctx, f, grid[0], grid[1], grid[2], block[0], block[1], block[2], shared, s, NULL, extra);
}

CUresult gc_load_module(CUcontext ctx, CUmodule *m, const char *ptx, char *log, unsigned room) {
  int options[] = {GC_JIT_ERROR_LOG, GC_JIT_ERROR_LOG_BYTES};
  void *values[] = {log, (void *)(uintptr_t)room};
  log[0] = 0;
  CUresult r = gc_cuModuleLoadDataEx(ctx, m, ptx, 2, options, values);
  log[room - 1] = 0;
  return r;
}
