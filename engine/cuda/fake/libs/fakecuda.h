// What the fake libcuda.so.1 offers to the other fake libraries (cuDNN, cuBLASLt),
// beside the driver's own functions: their work goes into the same queues, so that the
// order in which queues run holds for it too.
#ifndef GOCAFFE_FAKECUDA_H
#define GOCAFFE_FAKECUDA_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// A tensor that a piece of work reads or writes: memory of the GPU.
typedef struct {
  const void *at;
  size_t bytes;
  int written;
} fakecuda_span;

// fakecuda_enqueue queues work(arg) on a stream, or records it where the stream
// captures; it is called once a run of the queue's entry, with the spans still
// allocated. arg is memory of malloc that the driver frees when it needs it no more,
// also where the call fails. The answer is a CUresult: for a stream that is not one,
// a lost device, an injected failure, and CUDA_ERROR_ILLEGAL_ADDRESS (700) for spans
// outside of what is allocated.
int fakecuda_enqueue(void *stream, const char *name, void (*work)(void *arg), void *arg, const fakecuda_span *spans,
                     int count);

// fakecuda_unready spoils the recording of a stream that is to take a library's first run
// of something, and gives CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED (900) then: the libraries
// load their code at the first run, which no recording allows. It is 0, and sets *ran,
// where nothing is recorded or the first run was before.
int fakecuda_unready(void *stream, int *ran);

// fakecuda_injected counts a call of a function and gives the status that
// GOCAFFE_FAKECUDA_FAIL orders for it, 0 mostly.
int fakecuda_injected(const char *function);

#ifdef __cplusplus
}
#endif

#endif
