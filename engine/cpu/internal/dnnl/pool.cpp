#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

// Plane is the geometry of our own loops: three axes, the leading ones of size 1
// where the pooling has fewer.
struct Plane {
  int64_t size[3], out[3], kernel[3], stride[3], pad[3];
};

#define LOOPS "pool_loops.inc"
#include "isa.hpp"

using namespace dnnl;
using dims = memory::dims;

namespace {

enum Method { Max, Ave };  // engine.PoolMethod

// Window is a pooling in oneDNN's terms; usable says whether it can express it.
struct Window {
  Window(const gc_window &w, const gc_desc &x, int method) {
    if (w.axes < 1 || w.axes > GC_MAX_AXES || x.rank != w.axes + 2) throw Unsupported("pooling over other than 1 to 3 axes");
    bool over = false, padded = false;
    for (int i = 0; i < w.axes; i++) {
      const int64_t size = x.dim[2 + i], span = size + 2 * w.pad[i] - w.kernel[i];
      const bool regular = span >= 0 && span / w.stride[i] + 1 == w.out[i];
      const int64_t last = (w.out[i] - 1) * w.stride[i] + w.kernel[i] - size - w.pad[i];
      over |= last > w.pad[i];
      padded |= w.pad[i] > 0;
      right.push_back(regular ? w.pad[i] : last);
      usable &= right.back() >= 0 && right.back() < w.kernel[i] && w.pad[i] < w.kernel[i];
    }
    kernel.assign(w.kernel, w.kernel + w.axes);
    stride.assign(w.stride, w.stride + w.axes);
    left.assign(w.pad, w.pad + w.axes);
    if (method == Max) {
      algo = algorithm::pooling_max;
      return;
    }
    algo = over ? algorithm::pooling_avg_exclude_padding : algorithm::pooling_avg_include_padding;
    usable &= !(over && padded);
  }
  dims kernel, stride, left, right;
  algorithm algo;
  bool usable = true;
};

pooling_forward::primitive_desc forward(const Window &w, const memory::desc &x, const memory::desc &y, bool training) {
  const prop_kind kind = training ? prop_kind::forward_training : prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
  const dims none(w.kernel.size(), 0);
  return {cpu_engine(), kind, w.algo, x, y, w.stride, w.kernel, none, w.left, w.right, user_scratchpad()};
#else
  return {pooling_forward::desc(kind, w.algo, x, y, w.stride, w.kernel, w.left, w.right), user_scratchpad(), cpu_engine()};
#endif
}

pooling_backward::primitive_desc backward(const Window &w, const memory::desc &x, const memory::desc &y,
                                          const pooling_forward::primitive_desc &f) {
#if DNNL_VERSION_MAJOR >= 3
  const dims none(w.kernel.size(), 0);
  return {cpu_engine(), w.algo, x, y, w.stride, w.kernel, none, w.left, w.right, f, user_scratchpad()};
#else
  return {pooling_backward::desc(w.algo, x, y, w.stride, w.kernel, w.left, w.right), user_scratchpad(), cpu_engine(), f};
#endif
}

// fits demands that the index's tensor has room for what oneDNN writes there.
void fits(const memory::desc &workspace, const gc_desc &index) {
  if (static_cast<int64_t>(workspace.get_size()) > gc_bytes(&index)) throw Unsupported("an index in this layout");
}

gc_kernel *primitive_forward(const Window &w, const gc_io &io) {
  const memory::desc x = memory_desc(io.in[0]), y = memory_desc(io.out[0]);
  const bool index = io.n_out > 1 && io.out[1].dtype != GC_NONE;
  const auto pd = forward(w, x, y, index);
  auto k = std::make_unique<PrimitiveKernel>();
  k->bind(DNNL_ARG_SRC, 0, x, false);
  k->bind(DNNL_ARG_DST, 1, y, true);
  if (index) {
    fits(pd.workspace_desc(), io.out[1]);
    k->bind(DNNL_ARG_WORKSPACE, 2, pd.workspace_desc(), true);
  }
  k->finish(pooling_forward(pd), pd.scratchpad_desc(), io.n_in + io.n_out, pd.impl_info_str());
  return k.release();
}

gc_kernel *primitive_backward(const Window &w, const gc_io &io) {
  const memory::desc dy = memory_desc(io.in[0]), dx = memory_desc(io.out[0]);
  const auto hint = forward(w, dx, dy, true);
  const auto pd = backward(w, dx, dy, hint);
  auto k = std::make_unique<PrimitiveKernel>();
  k->bind(DNNL_ARG_DIFF_DST, 0, dy, false);
  if (io.n_in > 1) {
    fits(pd.workspace_desc(), io.in[1]);
    k->bind(DNNL_ARG_WORKSPACE, 1, pd.workspace_desc(), false);
  }
  k->bind(DNNL_ARG_DIFF_SRC, io.n_in, dx, true);
  k->finish(pooling_backward(pd), pd.scratchpad_desc(), io.n_in + 1, pd.impl_info_str());
  return k.release();
}

Plane plane(const gc_window &w, const gc_desc &x) {
  Plane p;
  for (int a = 0; a < 3; a++) {
    const int i = a - (3 - w.axes);
    p.size[a] = i < 0 ? 1 : x.dim[2 + i];
    p.out[a] = i < 0 ? 1 : w.out[i];
    p.kernel[a] = i < 0 ? 1 : w.kernel[i];
    p.stride[a] = i < 0 ? 1 : w.stride[i];
    p.pad[a] = i < 0 ? 0 : w.pad[i];
  }
  return p;
}

#define GC_LANES(f, block) (block == 16 ? PICK(f<16>) : block == 8 ? PICK(f<8>) : block == 4 ? PICK(f<4>) : PICK(f<1>))

// Planes is the planes of a tensor x of block channels each and of its pooled y.
struct Planes {
  Planes(const gc_window &w, const gc_desc &x, const gc_desc &y) : plane(::plane(w, x)), v(channels(x)), out(channels(y)) {
    same_layout(x, y);
    if (x.tag != 0 && v.block == 1) throw Unsupported("this pooling of channels-last tensors");
    n = v.n * v.blocks();
    size = v.s * v.block;
    pooled = out.s * out.block;
  }
  Plane plane;
  Channels v, out;
  int64_t n, size, pooled;
};

gc_kernel *own_forward(int method, const gc_window &w, const gc_io &io) {
  const Planes p(w, io.in[0], io.out[0]);
  if (method == Ave) {
    const auto f = GC_LANES(ave, p.v.block);
    return loop([=](void *const *b) {
      split_items(p.n, p.n * p.size, [&](int64_t i) { f(f32(b, 0) + i * p.size, f32(b, 1) + i * p.pooled, &p.plane); });
    });
  }
  const auto f = GC_LANES(max_mask, p.v.block);
  const bool mask = io.n_out > 1 && io.out[1].dtype != GC_NONE;
  if (mask) same_layout(io.out[0], io.out[1]);
  return loop([=](void *const *b) {
    split_items(p.n, p.n * p.size, [&](int64_t i) {
      f(f32(b, 0) + i * p.size, f32(b, 1) + i * p.pooled, mask ? f32(b, 2) + i * p.pooled : nullptr, &p.plane);
    });
    zero_tail(f32(b, 1), p.out);
    if (mask) zero_tail(f32(b, 2), p.out);
  });
}

gc_kernel *own_backward(int method, const gc_window &w, const gc_io &io) {
  const Planes p(w, io.out[0], io.in[0]);
  if (method == Ave) {
    const auto f = GC_LANES(ave_grad, p.v.block);
    return loop([=](void *const *b) {
      split_items(p.n, p.n * p.size, [&](int64_t i) { f(f32(b, 0) + i * p.pooled, f32(b, 1) + i * p.size, &p.plane); });
    });
  }
  same_layout(io.in[0], io.in[1]);
  const auto f = GC_LANES(max_mask_grad, p.v.block);
  return loop([=](void *const *b) {
    split_items(p.n, p.n * p.size, [&](int64_t i) {
      f(f32(b, 0) + i * p.pooled, f32(b, 1) + i * p.pooled, f32(b, 2) + i * p.size, &p.plane);
    });
  });
}

}  // namespace

extern "C" gc_kernel *gc_prepare_pool(int method, int mask, const gc_window *w, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const Window v(*w, io.in[0], method);
    const bool own = !v.usable || (method == Max && mask);
    if (own && method == Max && !mask) throw Unsupported("maxima over these windows");
    return own ? own_forward(method, *w, io) : primitive_forward(v, io);
  });
}

extern "C" gc_kernel *gc_prepare_pool_grad(int method, int mask, const gc_window *w, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const Window v(*w, io.out[0], method);
    const bool own = !v.usable || (method == Max && mask);
    if (own && method == Max && !mask) throw Unsupported("maxima over these windows");
    return own ? own_backward(method, *w, io) : primitive_backward(v, io);
  });
}

#endif
