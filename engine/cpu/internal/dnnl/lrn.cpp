#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <algorithm>

// Norm is what the loops need to know.
struct Norm {
  int64_t c, size;
  float alpha, beta, k;
};

#define GC_TILE 16
#define LOOPS "lrn_loops.inc"
#include "isa.hpp"

namespace {

// Shape is a tensor's layout as the loops walk it: plain tensors in tiles of
// positions, blocked ones position by position through dense rows.
struct Shape {
  Shape(const gc_lrn &l, const gc_desc &x) : v(channels(x)), p{v.c, l.size, l.alpha, l.beta, l.k} {
    if (v.s == 1 && v.block == 1) v.block = v.c;  // channels side by side
    tiled = v.block == 1;
    tiles = tiled ? (v.s + GC_TILE - 1) / GC_TILE : v.s;
    const int64_t width = tiled ? GC_TILE : 1;
    room = 2 * (p.c + p.size) * width + (tiled ? 0 : 5 * p.c);
    room = (room + 15) / 16 * 16;
  }
  Channels v;
  Norm p;
  bool tiled;
  int64_t tiles, room;

  int64_t total() const { return v.n * v.blocks() * v.block * v.s; }

  // each runs f(offset, width, room) on every tile, or position if not tiled.
  template <class F>
  void each(float *workspace, F f) const {
    team(total(), [&](int thread, int threads) {
      const Share s(v.n * tiles, 1, thread, threads);
      const int64_t item = v.blocks() * v.block * v.s;
      for (int64_t i = s.from; i < s.to; i++) {
        const int64_t at = i % tiles * (tiled ? GC_TILE : v.block);
        f(i / tiles * item + at, tiled ? std::min<int64_t>(GC_TILE, v.s - at) : 1, workspace + thread * room);
      }
    });
  }
  int64_t stride() const { return v.s * v.block; }
};

gc_kernel *forward(const gc_lrn &l, const gc_io &io) {
  const bool y = io.out[0].dtype != GC_NONE, aux = io.out[1].dtype != GC_NONE;
  if (!y) throw Unsupported("an output that nobody reads");
  same_layout(io.in[0], io.out[0]);
  if (aux) same_layout(io.in[0], io.out[1]);
  const Shape z(l, io.in[0]);
  const auto f = PICK(lrn);
  const auto in = PICK(gather);
  const auto out = PICK(scatter);
  gc_kernel *k = loop([=](void *const *b) {
    float *to = f32(b, 1), *scale = aux ? f32(b, 2) : nullptr;
    z.each(f32(b, 3), [&](int64_t at, int64_t width, float *room) {
      const float *x = f32(b, 0) + at;
      if (z.tiled) return f(x, to + at, aux ? scale + at : nullptr, &z.p, z.v.s, width, room);
      const int64_t c = z.p.c;
      float *rows = room + 2 * (c + z.p.size);
      in(x, rows, c, z.v.block, z.stride());
      f(rows, rows + c, rows + 2 * c, &z.p, 1, 1, room);
      out(rows + c, to + at, c, z.v.block, z.stride());
      if (aux) out(rows + 2 * c, scale + at, c, z.v.block, z.stride());
    });
  });
  k->workspace = io.threads * z.room * 4;
  return k;
}

gc_kernel *backward(const gc_lrn &l, const gc_io &io) {
  for (int i = 0; i < 4; i++) same_layout(io.in[i], io.out[0]);
  const Shape z(l, io.out[0]);
  const auto f = PICK(lrn_grad);
  const auto in = PICK(gather);
  const auto out = PICK(scatter);
  gc_kernel *k = loop([=](void *const *b) {
    z.each(f32(b, 5), [&](int64_t at, int64_t width, float *room) {
      float *dx = f32(b, 4) + at;
      if (z.tiled) return f(f32(b, 0) + at, f32(b, 1) + at, f32(b, 2) + at, f32(b, 3) + at, dx, &z.p, z.v.s, width, room);
      const int64_t c = z.p.c;
      float *rows = room + 2 * (c + z.p.size);
      for (int i = 0; i < 4; i++) in(f32(b, i) + at, rows + i * c, c, z.v.block, z.stride());
      f(rows, rows + c, rows + 2 * c, rows + 3 * c, rows + 4 * c, &z.p, 1, 1, room);
      out(rows + 4 * c, dx, c, z.v.block, z.stride());
    });
  });
  k->workspace = io.threads * z.room * 4;
  return k;
}

}  // namespace

extern "C" gc_kernel *gc_prepare_lrn(const gc_lrn *l, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return forward(*l, io); });
}

extern "C" gc_kernel *gc_prepare_lrn_grad(const gc_lrn *l, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return backward(*l, io); });
}

#endif
