// What the two programs on cuDNN share.
#ifndef CUDNN_H
#define CUDNN_H

#include "check.h"

enum {
  BAD_PARAM = 2000, BAD_NULL = 2002, BAD_ALIGNMENT = 2003, BAD_NOT_FINALIZED = 2004, NOT_SUPPORTED = 3000, EXECUTION_FAILED = 5000,
  NOT_INITIALIZED = 1001, FLOAT = 0, DOUBLE = 1, HALF = 2, BFLOAT16 = 9,
};

int cudnnCreate(void **);
int cudnnDestroy(void *);
int cudnnSetStream(void *, Stream);
void cudnnGetLastErrorString(char *, size_t);

// REFUSED checks that a call is refused with a status, and that the library says why.
#define REFUSED(call, status, why)                                                                       \
  do {                                                                                                   \
    char said_[512] = "";                                                                                \
    IS(call, status);                                                                                    \
    cudnnGetLastErrorString(said_, sizeof said_);                                                        \
    if (!strstr(said_, why)) {                                                                           \
      printf("%s:%d: %s: says \"%s\", not \"%s\"\n", __FILE__, __LINE__, #call, said_, why);             \
      failures++;                                                                                        \
    }                                                                                                    \
  } while (0)

#endif
