// libcuda.so.1: devices, memory, copies.
#include "state.hpp"

#include <cstring>
#include <sys/mman.h>

typedef int CUdevice;
typedef uint64_t CUdeviceptr;
typedef struct CUctx_st *CUcontext;

// The context of each GPU is a number of ours, so that a wrong one is seen.
static CUcontext context(int dev) { return reinterpret_cast<CUcontext>(uintptr_t(0xc0de00 + 16 * dev)); }

static thread_local CUcontext current;

// IN begins a function that needs the context.
#define IN(name)                                                                                     \
  CALL(name);                                                                                        \
  if (!current) return fakeRefuse(INVALID_CONTEXT, #name, "this thread has no context")

// UNSAFE begins a function that must not be called while a stream records.
#define UNSAFE(name)                                                                                 \
  IN(name);                                                                                          \
  if (capturing()) return fakeRefuse(CAPTURE_UNSUPPORTED, #name, "a stream records: call it before")

API CUresult cuDriverGetVersion(int *version) {
  *version = state().config.version;
  return SUCCESS;
}

API CUresult cuInit(unsigned flags) {
  CALL(cuInit);
  if (flags) return INVALID_VALUE;
  if (S.config.devices == 0) return NO_DEVICE;
  S.initialised = true;
  S.random.seed(S.config.seed);
  return SUCCESS;
}

static const struct {
  int code;
  const char *name, *text;
} errors[] = {
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {INVALID_PTX, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {214, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"},
    {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {702, "CUDA_ERROR_LAUNCH_TIMEOUT", "the launch timed out and was terminated"},
    {NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
    {CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"},
    {CAPTURE_UNMATCHED, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not ended in the same stream as it began"},
    {CAPTURE_UNJOINED, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"},
    {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA-capable device(s) is/are busy or unavailable"},
    {UNKNOWN, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

API CUresult cuGetErrorName(CUresult code, const char **text) {
  for (auto &e : errors)
    if (e.code == code) return *text = e.name, SUCCESS;
  return *text = nullptr, INVALID_VALUE;
}

API CUresult cuGetErrorString(CUresult code, const char **text) {
  for (auto &e : errors)
    if (e.code == code) return *text = e.text, SUCCESS;
  return *text = nullptr, INVALID_VALUE;
}

API CUresult cuDeviceGetCount(int *count) {
  CALL(cuDeviceGetCount);
  if (!S.initialised) return NOT_INITIALIZED;
  *count = S.config.devices;
  return SUCCESS;
}

API CUresult cuDeviceGet(CUdevice *dev, int ordinal) {
  CALL(cuDeviceGet);
  if (!S.initialised) return NOT_INITIALIZED;
  if (ordinal < 0 || ordinal >= S.config.devices) return INVALID_DEVICE;
  *dev = ordinal;
  return SUCCESS;
}

API CUresult cuDeviceGetName(char *name, int len, CUdevice) {
  CALL(cuDeviceGetName);
  snprintf(name, size_t(len), "gocaffe's fake GPU");
  return SUCCESS;
}

API CUresult cuDeviceGetAttribute(int *value, int which, CUdevice) {
  CALL(cuDeviceGetAttribute);
  static const std::map<int, int> values = {
      {1, 1024}, {2, 1024},  {3, 1024},       {4, 64},    {5, 2147483647}, {6, 65535}, {7, 65535}, {8, 49152}, {9, 65536},
      {10, 32},  {11, 2147483647}, {12, 65536}, {13, 1410000}, {14, 512},  {15, 1},     {16, 4},     {17, 0},    {97, 166912}};
  if (which == 75 || which == 76) return *value = which == 75 ? S.config.major : S.config.minor, SUCCESS;
  auto v = values.find(which);
  if (v == values.end()) return fakeRefuse(INVALID_VALUE, "cuDeviceGetAttribute", "attribute %d is not in the fake", which);
  *value = v->second;
  return SUCCESS;
}

API CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice) {
  CALL(cuDeviceTotalMem_v2);
  *bytes = S.config.memory;
  return SUCCESS;
}

API CUresult cuDevicePrimaryCtxRetain(CUcontext *ctx, CUdevice dev) {
  CALL(cuDevicePrimaryCtxRetain);
  S.retained = true;
  *ctx = context(dev);
  return SUCCESS;
}

API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice) {
  CALL(cuDevicePrimaryCtxRelease_v2);
  return SUCCESS;
}

API CUresult cuCtxSetCurrent(CUcontext ctx) {
  CALL(cuCtxSetCurrent);
  if (!S.retained || ctx < context(0) || ctx > context(S.config.devices - 1)) return INVALID_CONTEXT;
  current = ctx;
  return SUCCESS;
}

API CUresult cuCtxGetCurrent(CUcontext *ctx) {
  CALL(cuCtxGetCurrent);
  if (!ctx) return INVALID_VALUE;
  *ctx = current;
  return SUCCESS;
}

API CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  IN(cuMemGetInfo_v2);
  *free = S.config.memory - S.used;
  *total = S.config.memory;
  return SUCCESS;
}

static const size_t page = 4096;
static size_t pages(size_t bytes) { return (bytes + page - 1) / page * page; }

// map gives memory between two pages that nobody can touch.
static uintptr_t map(size_t bytes) {
  char *at = (char *)mmap(nullptr, pages(bytes) + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return 0;
  if (mprotect(at + page, pages(bytes), PROT_READ | PROT_WRITE) != 0) return 0;
  return uintptr_t(at) + page;
}

// unmap gives the memory back and keeps its addresses, so that a late use is a fault.
static void unmap(uintptr_t at, size_t bytes) {
  mmap((void *)at, pages(bytes), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

// quiet runs all that is queued: what frees memory waits for the GPU.
static int quiet(State &S) {
  return S.run([&] {
    for (CUstream s : S.streams)
      if (!s->queue.empty()) return false;
    return true;
  });
}

API CUresult cuMemAlloc_v2(CUdeviceptr *at, size_t bytes) {
  UNSAFE(cuMemAlloc_v2);
  if (bytes == 0) return fakeRefuse(INVALID_VALUE, "cuMemAlloc_v2", "0 bytes");
  if (bytes > S.config.memory - S.used) return OUT_OF_MEMORY;
  uintptr_t p = map(bytes);
  if (!p) return OUT_OF_MEMORY;
  memset((void *)p, 0xcb, bytes); // what a GPU's memory holds is not zero
  S.device[p] = bytes;
  S.used += bytes;
  *at = p;
  return SUCCESS;
}

API CUresult cuMemFree_v2(CUdeviceptr at) {
  UNSAFE(cuMemFree_v2);
  auto a = S.device.find(uintptr_t(at));
  if (a == S.device.end()) return fakeRefuse(INVALID_VALUE, "cuMemFree_v2", "%p was not allocated, or is free already", (void *)at);
  int status = quiet(S);
  S.used -= a->second;
  unmap(a->first, a->second);
  S.device.erase(a);
  return status;
}

API CUresult cuMemHostAlloc(void **at, size_t bytes, unsigned) {
  UNSAFE(cuMemHostAlloc);
  uintptr_t p = map(bytes);
  if (!bytes || !p) return bytes ? OUT_OF_MEMORY : INVALID_VALUE;
  S.host[p] = bytes;
  *at = (void *)p;
  return SUCCESS;
}

API CUresult cuMemFreeHost(void *at) {
  UNSAFE(cuMemFreeHost);
  auto a = S.host.find(uintptr_t(at));
  if (a == S.host.end()) return fakeRefuse(INVALID_VALUE, "cuMemFreeHost", "%p was not allocated, or is free already", at);
  int status = quiet(S);
  unmap(a->first, a->second);
  S.host.erase(a);
  return status;
}

// pinned reports whether the host's side of a copy is pinned memory. The real driver
// takes other memory too, and then makes the caller wait: the engine must not.
static bool pinned(const char *function, const void *at, size_t bytes) {
  State &S = state();
  auto next = S.host.upper_bound(uintptr_t(at));
  if (next != S.host.begin()) {
    auto a = std::prev(next);
    if (uintptr_t(at) + bytes <= a->first + a->second) return true;
  }
  return fakeRefuse(0, function, "%zu bytes at %p are not pinned memory", bytes, at);
}

struct Copy {
  void *dst;
  const void *src;
  size_t bytes;
};

static void copy(const void *arg) {
  const Copy *c = (const Copy *)arg;
  memcpy(c->dst, c->src, c->bytes);
}

static CUresult queueCopy(CUstream s, const char *name, void *dst, const void *src, size_t bytes) {
  Copy c{dst, src, bytes};
  return fakeEnqueue(s, name, copy, &c, sizeof c);
}

API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr dst, const void *src, size_t bytes, CUstream s) {
  IN(cuMemcpyHtoDAsync_v2);
  if (!fakeCheck("cuMemcpyHtoDAsync_v2", "dst", (void *)dst, bytes, 0) || !pinned("cuMemcpyHtoDAsync_v2", src, bytes)) return INVALID_VALUE;
  return queueCopy(s, "copy in", (void *)dst, src, bytes);
}

API CUresult cuMemcpyDtoHAsync_v2(void *dst, CUdeviceptr src, size_t bytes, CUstream s) {
  IN(cuMemcpyDtoHAsync_v2);
  if (!fakeCheck("cuMemcpyDtoHAsync_v2", "src", (void *)src, bytes, 0) || !pinned("cuMemcpyDtoHAsync_v2", dst, bytes)) return INVALID_VALUE;
  return queueCopy(s, "copy out", dst, (void *)src, bytes);
}

API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr dst, CUdeviceptr src, size_t bytes, CUstream s) {
  IN(cuMemcpyDtoDAsync_v2);
  if (!fakeCheck("cuMemcpyDtoDAsync_v2", "dst", (void *)dst, bytes, 0) || !fakeCheck("cuMemcpyDtoDAsync_v2", "src", (void *)src, bytes, 0))
    return INVALID_VALUE;
  if (dst < src + bytes && src < dst + bytes) return fakeRefuse(INVALID_VALUE, "cuMemcpyDtoDAsync_v2", "the two overlap");
  return queueCopy(s, "copy", (void *)dst, (void *)src, bytes);
}

struct Set {
  void *at;
  int value;
  size_t bytes;
};

static void set(const void *arg) {
  const Set *c = (const Set *)arg;
  memset(c->at, c->value, c->bytes);
}

API CUresult cuMemsetD8Async(CUdeviceptr at, unsigned char value, size_t bytes, CUstream s) {
  IN(cuMemsetD8Async);
  if (!fakeCheck("cuMemsetD8Async", "dst", (void *)at, bytes, 0)) return INVALID_VALUE;
  Set c{(void *)at, value, bytes};
  return fakeEnqueue(s, "set", set, &c, sizeof c);
}
