// What the fake libraries share. libcuda.so.1 defines it, the others link to it.
//
// The fakes run on the host what the engine asks of a GPU, with a meaner order than
// any GPU has: nothing runs before somebody waits for it, and then what the events
// leave open is drawn at random (GOCAFFE_FAKECUDA_SEED). Arguments that the real
// libraries would refuse, or that would break a GPU's context, are refused with the
// reason on stderr.
#ifndef GOCAFFE_FAKE_H
#define GOCAFFE_FAKE_H

#include <stddef.h>
#include <stdint.h>

#define API extern "C" __attribute__((visibility("default")))

typedef int CUresult;
typedef struct CUstream_st *CUstream;

// fakeEnter counts a call of the named function and gives the status that it must
// return at once, 0 for none: an injected failure, or that of a lost GPU.
// GOCAFFE_FAKECUDA_FAIL is a list such as "cuMemAlloc_v2@3=2,relu_f32@1=700": the third
// call gives status 2, the first run of a kernel breaks the context with status 700.
API CUresult fakeEnter(const char *function);

// fakeEnqueue queues work on a stream, or adds it to the graph that the stream records.
// arg is copied; run may be called more than once. name is that of the work for
// injected failures.
API CUresult fakeEnqueue(CUstream s, const char *name, void (*run)(const void *arg), const void *arg, size_t bytes);

// fakeCheck reports whether [at, at+bytes) lies in one allocation of the GPU; if not it
// says on stderr what of which function is wrong.
API int fakeCheck(const char *function, const char *what, const void *at, size_t bytes, size_t align);

// fakeRefuse says on stderr why a call is refused; it returns code.
API int fakeRefuse(int code, const char *function, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
