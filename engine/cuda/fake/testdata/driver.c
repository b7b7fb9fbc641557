// What the driver refuses.
#include "check.h"

#include <pthread.h>

enum {
  INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, INVALID_DEVICE = 101, INVALID_CONTEXT = 201, INVALID_PTX = 218,
  INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600, CAPTURE_UNSUPPORTED = 900, CAPTURE_INVALIDATED = 901,
  CAPTURE_UNMATCHED = 903, CAPTURE_UNJOINED = 904, CAPTURE_WRONG_THREAD = 908,
};

enum { BYTES = 4096 };
static Stream s, t;
static Event e, outside;
static Pointer at, more;
static char *pinned;

static void before(void) {
  int n;
  void *context;
  IS(cuDeviceGetCount(&n), NOT_INITIALIZED);
  IS(cuInit(1), INVALID_VALUE);
  OK(cuInit(0));
  IS(cuDeviceGet(&n, 7), INVALID_DEVICE);
  OK(cuDevicePrimaryCtxRetain(&context, 0));
  IS(cuMemAlloc_v2(&at, 4), INVALID_CONTEXT);
  IS(cuCtxSetCurrent(&n), INVALID_CONTEXT);
  begin();
}

static void *elsewhere(void *unused) {
  Pointer p;
  IS(cuMemAlloc_v2(&p, 4), INVALID_CONTEXT); // a context is a thread's
  return unused;
}

static void memory(void) {
  pthread_t thread;
  OK(pthread_create(&thread, NULL, elsewhere, NULL));
  OK(pthread_join(thread, NULL));
  IS(cuMemAlloc_v2(&at, 0), INVALID_VALUE);
  IS(cuMemAlloc_v2(&at, (size_t)1 << 50), OUT_OF_MEMORY);
  OK(cuMemAlloc_v2(&at, BYTES));
  OK(cuMemAlloc_v2(&more, BYTES));
  OK(cuMemHostAlloc((void **)&pinned, BYTES, 0));
  static char pageable[BYTES];
  IS(cuMemcpyHtoDAsync_v2(at, pageable, BYTES, s), INVALID_VALUE);
  IS(cuMemcpyDtoHAsync_v2(pageable, at, BYTES, s), INVALID_VALUE);
  IS(cuMemcpyHtoDAsync_v2(at + 1, pinned, BYTES, s), INVALID_VALUE);
  IS(cuMemcpyHtoDAsync_v2(at, pinned + 1, BYTES, s), INVALID_VALUE);
  IS(cuMemcpyDtoHAsync_v2(pinned, at - 1, 4, s), INVALID_VALUE);
  IS(cuMemcpyDtoDAsync_v2(at, at + 8, 16, s), INVALID_VALUE);
  IS(cuMemsetD8Async(at, 0, BYTES + 1, s), INVALID_VALUE);
  IS(cuMemsetD8Async(at, 0, BYTES, NULL), INVALID_HANDLE); // the default stream waits for all others
  IS(cuMemFree_v2(at + 256), INVALID_VALUE);
  Pointer late;
  OK(cuMemAlloc_v2(&late, BYTES));
  OK(cuMemFree_v2(late));
  IS(cuMemFree_v2(late), INVALID_VALUE);
  IS(cuMemsetD8Async(late, 0, 1, s), INVALID_VALUE);
  IS(cuMemFreeHost(pageable), INVALID_VALUE);
}

static void events(void) {
  Event first, last;
  float ms;
  OK(cuEventCreate(&first, 0));
  OK(cuEventCreate(&last, 0));
  IS(cuEventElapsedTime(&ms, first, last), INVALID_HANDLE); // neither was recorded
  OK(cuEventRecord(first, s));
  OK(cuEventRecord(last, s));
  IS(cuEventElapsedTime(&ms, first, last), NOT_READY);
  OK(cuEventSynchronize(last));
  OK(cuEventElapsedTime(&ms, first, last));
  OK(cuEventRecord(e, s));
  OK(cuStreamSynchronize(s));
  IS(cuEventElapsedTime(&ms, first, e), INVALID_HANDLE); // it takes no time
  OK(cuEventDestroy_v2(first));
  IS(cuEventRecord(first, s), INVALID_HANDLE);
  Stream gone;
  OK(cuStreamCreate(&gone, NON_BLOCKING));
  OK(cuStreamDestroy_v2(gone));
  IS(cuStreamSynchronize(gone), INVALID_HANDLE);
}

// spoiled ends a recording that something forbidden was called in.
static void spoiled(int status) {
  Graph graph;
  IS(status, CAPTURE_UNSUPPORTED);
  IS(cuStreamEndCapture(s, &graph), CAPTURE_INVALIDATED);
}

static const char *ptx = ".version 6.4\n.target sm_70\n.visible .entry relu_f32(\n.param .align 8 .b8 p[32]\n)\n.maxntid 256, 1, 1\n{\n}\n"
                         ".visible .entry strange(\n.param .align 8 .b8 p[8]\n)\n{\n}\n";

static void *ends(void *graph) {
  IS(cuStreamEndCapture(s, graph), CAPTURE_WRONG_THREAD);
  return NULL;
}

#define RECORDING OK(cuStreamBeginCapture_v2(s, THREAD_LOCAL))

static void recordings(void) {
  Pointer p;
  Graph graph;
  Exec exec;
  void *module, *host;
  pthread_t thread;
  RECORDING; spoiled(cuMemAlloc_v2(&p, 16));
  RECORDING; spoiled(cuMemFree_v2(more));
  RECORDING; spoiled(cuMemHostAlloc(&host, 16, 0));
  RECORDING; spoiled(cuModuleLoadDataEx(&module, ptx, 0, NULL, NULL));
  RECORDING; spoiled(cuStreamSynchronize(s));
  RECORDING; OK(cuEventRecord(e, s)); spoiled(cuEventSynchronize(e));
  RECORDING; spoiled(cuStreamWaitEvent(s, outside, 0));
  RECORDING; IS(cuStreamEndCapture(t, &graph), CAPTURE_UNMATCHED); OK(cuStreamEndCapture(s, &graph));
  RECORDING;
  OK(pthread_create(&thread, NULL, ends, &graph));
  OK(pthread_join(thread, NULL));
  OK(cuStreamEndCapture(s, &graph));
  OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
  RECORDING; spoiled(cuGraphLaunch(exec, s));
  // a stream that joined and did not come back
  RECORDING;
  OK(cuEventRecord(e, s));
  OK(cuStreamWaitEvent(t, e, 0));
  OK(cuMemsetD8Async(at, 0, 16, t));
  IS(cuStreamEndCapture(s, &graph), CAPTURE_UNJOINED);
  IS(cuGraphLaunch((Exec)graph, s), INVALID_HANDLE);
}

static void launches(void) {
  void *module, *relu;
  uint64_t args[4] = {0};
  size_t bytes = sizeof args;
  void *extra[] = {(void *)1, args, (void *)2, &bytes, NULL};
  IS(cuModuleLoadDataEx(&module, ".version 8.0\n.target sm_90\n", 0, NULL, NULL), INVALID_PTX);
  OK(cuModuleLoadDataEx(&module, ptx, 0, NULL, NULL));
  IS(cuModuleGetFunction(&relu, module, "tanh_f32"), NOT_FOUND);  // not in this PTX
  IS(cuModuleGetFunction(&relu, module, "strange"), NOT_FOUND);   // not built for the host
  OK(cuModuleGetFunction(&relu, module, "relu_f32"));
  IS(cuLaunchKernel(module, 1, 1, 1, 32, 1, 1, 0, s, NULL, extra), INVALID_HANDLE);
  IS(cuLaunchKernel(relu, 1, 1, 1, 32, 1, 1, 0, s, NULL, NULL), INVALID_VALUE);
  IS(cuLaunchKernel(relu, 0, 1, 1, 32, 1, 1, 0, s, NULL, extra), INVALID_VALUE);
  IS(cuLaunchKernel(relu, 1, 65536, 1, 32, 1, 1, 0, s, NULL, extra), INVALID_VALUE);
  IS(cuLaunchKernel(relu, 1, 1, 1, 512, 1, 1, 0, s, NULL, extra), INVALID_VALUE); // more than its .maxntid
  IS(cuLaunchKernel(relu, 1, 1, 1, 32, 1, 65, 0, s, NULL, extra), INVALID_VALUE);
  IS(cuLaunchKernel(relu, 1, 1, 1, 32, 1, 1, 49153, s, NULL, extra), INVALID_VALUE);
  IS(cuLaunchKernel(relu, 1, 1, 1, 32, 1, 1, 0, NULL, NULL, extra), INVALID_HANDLE);
  bytes--;
  IS(cuLaunchKernel(relu, 1, 1, 1, 32, 1, 1, 0, s, NULL, extra), INVALID_VALUE);
}

int main(void) {
  before();
  OK(cuStreamCreate(&s, NON_BLOCKING));
  OK(cuStreamCreate(&t, NON_BLOCKING));
  OK(cuEventCreate(&e, NO_TIMING));
  OK(cuEventCreate(&outside, NO_TIMING));
  OK(cuEventRecord(outside, t));
  memory();
  events();
  recordings();
  launches();
  return failures != 0;
}
