// What the two halves of the fake cuDNN share.
#ifndef GOCAFFE_FAKE_CUDNN_H
#define GOCAFFE_FAKE_CUDNN_H

#include "conv.h"
#include "fakecuda.h"

enum {
  OK = 0,
  NOT_INITIALIZED = 1001,
  BAD_PARAM = 2000,
  BAD_NULL = 2002,
  BAD_ALIGNMENT = 2003,
  BAD_NOT_FINALIZED = 2004,
  NOT_SUPPORTED = 3000,
  EXECUTION_FAILED = 5000,
};

// A handle; magic tells a live one from freed memory.
typedef struct {
  uint64_t magic;
  void *stream;
} handle;

enum { MAGIC_HANDLE = 0x68616e64 };

int handle_ok(const handle *h);

// refuse keeps the words for cudnnGetLastErrorString and gives the status back.
int refuse(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

// INJECTED returns from a function that GOCAFFE_FAKECUDA_FAIL makes fail, with the
// status ordered, or because the GPU is lost.
#define INJECTED()                                                                               \
  do {                                                                                           \
    int injected_ = fakecuda_injected(__func__);                                                 \
    if (injected_) return refuse(injected_ < 1000 ? EXECUTION_FAILED : injected_, "the driver's status is %d", injected_); \
  } while (0)

// enqueue queues work on a copy of what it needs.
int enqueue(const handle *h, const char *name, void (*work)(void *), const void *job, size_t bytes, const fakecuda_span *spans,
            int count);

// scribble overwrites a workspace: nobody may expect anything of it, and a caller that
// gave too little is found out.
void scribble(void *at, size_t bytes);

#endif
