// What every .cpp file of this folder shares: the kernel, how errors leave it, and
// the views of a tensor's memory that our own loops use.
#ifndef GOCAFFE_DNNL_COMMON_HPP
#define GOCAFFE_DNNL_COMMON_HPP

#include "shim.h"

#if __has_include(<oneapi/dnnl/dnnl.hpp>)
#define GOCAFFE_HAVE_DNNL 1
#include <oneapi/dnnl/dnnl.hpp>
#include <oneapi/dnnl/dnnl_debug.h>

#include <omp.h>

#include <cstdio>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// Unsupported says that there is no kernel for the tensors given.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// LabelFault is a label that is no class.
struct LabelFault {
  float label;
  int64_t item, classes;
};

// gc_kernel is a prepared op. block holds the addresses of its inputs, outputs and
// workspace, in this order.
struct gc_kernel {
  virtual ~gc_kernel() = default;
  virtual void run(void *const *block) = 0;
  virtual const char *implementation() const { return "own"; }

  int threads = 1;
  int64_t workspace = 0;
  gc_error error{};
};

// Isa is the instruction set that our own loops use on this machine (load.cpp).
enum class Isa { base, avx2, avx512 };
Isa isa();

// enter gives the calling OS thread the number of OpenMP threads that a kernel was
// prepared for: OpenMP keeps that setting a thread, and Go moves between threads.
void enter(int threads);

// report turns the exception in flight into an error. Call it in a catch block.
void report(gc_error *err);

// prepare runs make, which returns a new kernel, and turns what it throws into err.
template <class F>
gc_kernel *prepare(const gc_io &io, gc_error *err, F make) {
  try {
    enter(io.threads);
    std::unique_ptr<gc_kernel> k(make());
    k->threads = io.threads;
    return k.release();
  } catch (...) {
    report(err);
    return nullptr;
  }
}

// LoopKernel is a kernel made of a function: our own loops.
template <class F>
struct LoopKernel final : gc_kernel {
  explicit LoopKernel(F f) : f(std::move(f)) {}
  void run(void *const *block) override { f(block); }
  F f;
};

// loop makes a kernel of a function of the block.
template <class F>
gc_kernel *loop(F f) {
  return new LoopKernel<F>(std::move(f));
}

inline float *f32(void *const *block, int i) { return static_cast<float *>(block[i]); }

// count is the number of elements without padding.
int64_t count(const gc_desc &d, int from = 0, int to = -1);

// elements is the number of elements that the tensor's memory holds, padding included.
int64_t elements(const gc_desc &d);

// element_size is the bytes of one element.
inline int64_t element_size(const gc_desc &d) { return d.dtype == GC_BF16 ? 2 : 4; }

// same_layout demands that float32 tensors that a loop walks together lie alike.
void same_layout(const gc_desc &a, const gc_desc &b);

// alike demands that tensors lie alike, each float32 or bfloat16: for loops that Walk
// (bf16.hpp) them.
void alike(const gc_desc &a, const gc_desc &b);

// same_type demands one element type.
void same_type(const gc_desc &a, const gc_desc &b);

// plain demands row-major tensors.
void plain(const gc_desc &d);

// Channels is a view of memory as [n][c/block][s][block], the last block padded with
// zeros: what a loop with a coefficient a channel needs. Plain tensors have block 1
// and channels-last ones s = 1.
struct Channels {
  int64_t n, c, s, block;
  int64_t blocks() const { return (c + block - 1) / block; }
};

// channels views a tensor by its axis 1.
Channels channels(const gc_desc &d);

// middle views a plain tensor by its axes from axis on, rank of them.
Channels middle(const gc_desc &d, int axis, int rank);

// has_tail reports whether the memory holds padding.
inline bool has_tail(const gc_desc &d) { return elements(d) != count(d); }

// zero_tail writes the zeros that padding must hold.
void zero_tail(float *x, const Channels &v);

// zero_tail of a tensor of either type.
void zero_tail(void *x, const Channels &v, bool narrow);

// engine and stream of oneDNN: one of each will do, they hold nothing on a CPU.
dnnl::engine &cpu_engine();
dnnl::stream &cpu_stream();

// memory_desc is oneDNN's descriptor of a tensor, its axis 0 split if groups > 1.
dnnl::memory::desc memory_desc(const gc_desc &d, int64_t groups = 0);

// dims_of is the shape that memory_desc gives.
dnnl::memory::dims dims_of(const gc_desc &d, int64_t groups = 0);

// any_desc lets oneDNN choose the layout.
dnnl::memory::desc any_desc(const gc_desc &d, int64_t groups = 0);

// set_layout writes into d the tag that m has, or Unsupported if there is none.
void set_layout(gc_desc *d, const dnnl::memory::desc &m, int64_t groups = 0);

// PrimitiveKernel runs one oneDNN primitive on the block. A tensor that lies
// otherwise than the primitive wants is reordered into the workspace, or from it.
struct PrimitiveKernel : gc_kernel {
  // bind gives the primitive's argument arg the tensor at place of the block, which
  // lies as have, where the primitive wants want. Inputs and outputs are told by out.
  void bind(int arg, int place, const dnnl::memory::desc &want, const dnnl::memory::desc &have, bool out);
  void bind(int arg, int place, const dnnl::memory::desc &want, bool out) { bind(arg, place, want, want, out); }
  // finish binds the scratchpad, which lies in the workspace at place ws.
  void finish(const dnnl::primitive &p, const dnnl::memory::desc &scratchpad, int ws, const char *name);

  void run(void *const *block) override;
  const char *implementation() const override { return name.c_str(); }

 private:
  struct Slot {
    dnnl::memory memory;
    int place;
    int64_t offset;  // in the workspace
    void *at;        // what the memory object holds: setting it is not free
  };
  struct Move {
    dnnl::reorder reorder;
    size_t from, to;  // slots
  };
  size_t slot(const dnnl::memory::desc &d, int place, int64_t offset);
  int64_t reserve(const dnnl::memory::desc &d);
  void set(Slot &s, void *p);
  void move(const Move &m);

  dnnl::primitive primitive;
  std::string name;
  std::vector<Slot> slots;
  std::vector<Move> before, after;
  std::vector<dnnl_exec_arg_t> args;
  static constexpr int in_workspace = -1;
  int workspace_place = 0;
};

// finished is a kernel that runs inner, which it owns, and then applies an epilogue to
// its only output (epilogue.cpp). The bias is input 2, and the tensor to add follows.
gc_kernel *finished(gc_kernel *inner, const gc_epilogue &e, const gc_io &io);

// attributes with the scratchpad in the workspace.
dnnl::primitive_attr user_scratchpad();

// slow reports whether an implementation's name is one of oneDNN's fallbacks.
bool slow(const char *implementation);

// parallel_above is the number of elements from which a loop is worth a thread team.
constexpr int64_t parallel_above = 8192;

// team runs f(thread, threads) on every thread, or alone if work, in elements, is
// too little to share. f must not throw.
template <class F>
void team(int64_t work, F f) {
  if (work < parallel_above) return f(0, 1);
#pragma omp parallel
  f(omp_get_thread_num(), omp_get_num_threads());
}

// share is the part [from, to) of n items that a thread does, in steps of grain.
struct Share {
  int64_t from, to;
  Share(int64_t n, int64_t grain, int thread, int threads) {
    const int64_t pieces = (n + grain - 1) / grain;
    from = pieces * thread / threads * grain;
    to = pieces * (thread + 1) / threads * grain;
    if (from > n) from = n;
    if (to > n) to = n;
  }
};

// split runs f(from, to) on parts of n elements.
template <class F>
void split(int64_t n, F f) {
  team(n, [&](int thread, int threads) {
    const Share s(n, 64, thread, threads);
    if (s.from < s.to) f(s.from, s.to);
  });
}

// split_items runs f(i) for i of n items, work elements in all.
template <class F>
void split_items(int64_t n, int64_t work, F f) {
  team(work, [&](int thread, int threads) {
    const Share s(n, 1, thread, threads);
    for (int64_t i = s.from; i < s.to; i++) f(i);
  });
}

#endif  // __has_include
#endif
