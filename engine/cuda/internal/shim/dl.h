// Opening libraries at run time: what the tables of functions stand on.
#ifndef GOCAFFE_CUDA_DL_H
#define GOCAFFE_CUDA_DL_H

#include <stddef.h>

// gc_dl_open opens a library for everyone (RTLD_GLOBAL), so that the libraries that
// depend on it find it by its soname. NULL: *why is dlerror's text.
void *gc_dl_open(const char *name, const char **why);

// gc_dl_path is the file that an open library came from, "" if it cannot be told.
const char *gc_dl_path(void *lib);

// gc_symbol finds one function of a table. *at is NULL until the first call found it.
// It is 1 on success. Two threads may find the same function at once.
int gc_symbol(void *lib, const char *name, void **at);

// A function that its library lacks answers GC_MISSING − its number in the table
// instead of a status of its own.
enum { GC_MISSING = -1000 };

#endif
