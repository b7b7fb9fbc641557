// What the programs here share. They call the fake libraries as a careless user would;
// the prototypes are our own, as in the engine.
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

// IS checks a status, or any whole number.
#define IS(call, want)                                                             \
  do {                                                                             \
    long long got_ = (long long)(call), want_ = (long long)(want);                 \
    if (got_ != want_) {                                                           \
      printf("%s:%d: %s is %lld, want %lld\n", __FILE__, __LINE__, #call, got_, want_); \
      failures++;                                                                  \
    }                                                                              \
  } while (0)

#define OK(call) IS(call, 0)

typedef struct stream *Stream;
typedef struct event *Event;
typedef struct graph *Graph;
typedef struct exec *Exec;
typedef uint64_t Pointer;

enum { NON_BLOCKING = 1, NO_TIMING = 2, GLOBAL = 0, THREAD_LOCAL = 1 };

int cuInit(unsigned);
int cuDeviceGetCount(int *);
int cuDeviceGet(int *, int);
int cuDevicePrimaryCtxRetain(void **, int);
int cuCtxSetCurrent(void *);
int cuMemAlloc_v2(Pointer *, size_t);
int cuMemFree_v2(Pointer);
int cuMemHostAlloc(void **, size_t, unsigned);
int cuMemFreeHost(void *);
int cuMemcpyHtoDAsync_v2(Pointer, const void *, size_t, Stream);
int cuMemcpyDtoHAsync_v2(void *, Pointer, size_t, Stream);
int cuMemcpyDtoDAsync_v2(Pointer, Pointer, size_t, Stream);
int cuMemsetD8Async(Pointer, unsigned char, size_t, Stream);
int cuStreamCreate(Stream *, unsigned);
int cuStreamDestroy_v2(Stream);
int cuStreamSynchronize(Stream);
int cuStreamWaitEvent(Stream, Event, unsigned);
int cuStreamBeginCapture_v2(Stream, int);
int cuStreamEndCapture(Stream, Graph *);
int cuGraphInstantiateWithFlags(Exec *, Graph, unsigned long long);
int cuGraphLaunch(Exec, Stream);
int cuEventCreate(Event *, unsigned);
int cuEventDestroy_v2(Event);
int cuEventRecord(Event, Stream);
int cuEventSynchronize(Event);
int cuEventElapsedTime(float *, Event, Event);
int cuModuleLoadDataEx(void **, const void *, unsigned, int *, void **);
int cuModuleGetFunction(void **, void *, const char *);
int cuLaunchKernel(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Stream, void **, void **);

// begin makes the GPU's context the thread's own.
static inline void begin(void) {
  int device;
  void *context;
  OK(cuInit(0));
  OK(cuDeviceGet(&device, 0));
  OK(cuDevicePrimaryCtxRetain(&context, device));
  OK(cuCtxSetCurrent(context));
}

#endif
