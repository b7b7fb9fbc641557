#include "companions.h"

#include "dl.h"

#include <stddef.h>

#define X(name, params, args)                                                                                              \
  int gc_##name(void *lib, GC_PARAMS params) {                                                                             \
    int(*entry) params = NULL;                                                                                             \
    return gc_symbol(lib, #name, (void **)&entry) ? entry args : GC_MISSING;                                             \
  }
GC_COMPANION_SYMS(X)
#undef X
