#include "common.hpp"

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifndef GOCAFFE_HAVE_DNNL

extern "C" const char *gc_load(void) {
  return "this binary was built without oneDNN's headers; install libdnnl-dev (Debian, Ubuntu) and build with go build -a, as the build cache does not see headers";
}

#else

#include <algorithm>

#define GC_STRING2(x) #x
#define GC_STRING(x) GC_STRING2(x)
static const char library[] = "libdnnl.so." GC_STRING(DNNL_VERSION_MAJOR);
static const char package[] = "libdnnl" GC_STRING(DNNL_VERSION_MAJOR);

// short_waits lets threads that wait for others spin for some ten microseconds, then
// sleep, where the user has not said otherwise. libgomp's default is milliseconds: while
// another program, or a decoder of ours, has one of the processors, the spinning thread
// keeps the one that it waits for from running. LeNet beside one busy process: 5.7 s
// instead of 6.3 s for 500 iterations and two thirds of the processor time; alone: the same.
static void short_waits() {
  if (getenv("OMP_WAIT_POLICY") == nullptr) setenv("GOMP_SPINCOUNT", "500", 0);
}

// gc_load opens the library of the version whose headers this was compiled with, in
// the global scope: there the calls of this folder, left undefined by the linker,
// find it, and libgomp, which it brings along.
extern "C" const char *gc_load(void) {
  static std::string why;
  short_waits();
  if (dlopen(library, RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    why = std::string(dlerror()) + "; install the package " + package + " (Debian, Ubuntu)";
    return why.c_str();
  }
  // A oneDNN built with another threading library leaves libgomp to us.
  if (dlsym(RTLD_DEFAULT, "GOMP_parallel") == nullptr && dlopen("libgomp.so.1", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    why = std::string(dlerror()) + "; install the package libgomp1 (Debian, Ubuntu)";
    return why.c_str();
  }
  return nullptr;
}

static const char *path_of(const char *symbol) {
  Dl_info info;
  void *p = dlsym(RTLD_DEFAULT, symbol);
  return p != nullptr && dladdr(p, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

extern "C" const char *gc_library_path(void) { return path_of("dnnl_version"); }
extern "C" const char *gc_openmp_path(void) { return path_of("GOMP_parallel"); }

extern "C" void gc_version(int *major, int *minor, int *patch) {
  const dnnl_version_t *v = dnnl_version();
  *major = v->major;
  *minor = v->minor;
  *patch = v->patch;
}

void enter(int threads) {
  static thread_local int set = 0;
  if (set != threads) omp_set_num_threads(set = threads);
}

// ONEDNN_MAX_CPU_ISA, oneDNN's own variable, holds for our loops too.
static bool allowed(dnnl_cpu_isa_t isa) { return (dnnl_get_effective_cpu_isa() & isa) == isa; }

Isa isa() {
#if defined(__x86_64__)
  static const Isa found = [] {
    __builtin_cpu_init();
    if (allowed(dnnl_cpu_isa_avx512_core) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma"))
      return Isa::avx512;
    if (allowed(dnnl_cpu_isa_avx2) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
    return Isa::base;
  }();
  return found;
#else
  return Isa::base;
#endif
}

// avx512_core_bf16 is AVX512_BF16; processors with AMX have it too. Lesser ones would
// compute in float32 and convert, slower than without bfloat16.
extern "C" int gc_has_bf16(void) { return allowed(dnnl_cpu_isa_avx512_core_bf16); }

// Large memory comes in pages of its own, of 2 MiB where the system has them: with small
// ones a kernel that walks many planes misses the table of addresses all the time. It is
// zero, and takes no room before it is written.
static const int64_t page = 2 << 20, large = 4 * page;

static int64_t pages(int64_t bytes) { return (bytes + page - 1) / page * page; }

static void *map_pages(int64_t bytes) {
  const int64_t n = pages(bytes);
  void *all = mmap(nullptr, n + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) return nullptr;
  char *begin = static_cast<char *>(all), *p = begin + pages(reinterpret_cast<intptr_t>(begin)) - reinterpret_cast<intptr_t>(begin);
  if (p > begin) munmap(begin, p - begin);
  if (p < begin + page) munmap(p + n, begin + page - p);
  madvise(p, n, MADV_HUGEPAGE);
  return p;
}

extern "C" int gc_is_zero(int64_t bytes) { return bytes >= large; }

extern "C" void *gc_alloc(int64_t bytes) {
  if (bytes >= large) return map_pages(bytes);
  // A kernel may read a whole vector at the end of a tensor: never beyond 64 bytes.
  const size_t n = (static_cast<size_t>(bytes) + 63) / 64 * 64;
  void *p = nullptr;
  return posix_memalign(&p, 64, n ? n : 64) == 0 ? p : nullptr;
}

extern "C" void gc_free(void *p, int64_t bytes) {
  if (bytes >= large)
    munmap(p, pages(bytes));
  else
    free(p);
}

extern "C" void gc_zero(void *p, int64_t bytes, int threads) {
  enter(threads);
  char *x = static_cast<char *>(p);
  const int64_t piece = 1 << 16;
#pragma omp parallel for schedule(static) if (bytes > 4 * piece)
  for (int64_t i = 0; i < bytes; i += piece) memset(x + i, 0, std::min(piece, bytes - i));
}

extern "C" void gc_copy(void *dst, const void *src, int64_t bytes, int threads) {
  enter(threads);
  const int64_t piece = 1 << 16;
#pragma omp parallel for schedule(static) if (bytes > 4 * piece)
  for (int64_t i = 0; i < bytes; i += piece)
    memcpy(static_cast<char *>(dst) + i, static_cast<const char *>(src) + i, std::min(piece, bytes - i));
}

#endif
