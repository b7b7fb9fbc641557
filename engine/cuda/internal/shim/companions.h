// Libraries that are looked for and told of: each function gets the library in front.

#ifndef GOCAFFE_SHIM_COMPANIONS_H
#define GOCAFFE_SHIM_COMPANIONS_H

#include "companions_syms.h"

#define GC_PARAMS(...) __VA_ARGS__
#define X(name, params, args) int gc_##name(void *lib, GC_PARAMS params);
GC_COMPANION_SYMS(X)
#undef X

#endif
