#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <algorithm>

// Norm is what the loops need to know; lanes and row are for blocked tensors: channels
// side by side, and the length of a position's row of values.
struct Norm {
  int64_t c, size;
  float alpha, beta, k;
  int64_t lanes, row;
};

#define LOOPS "lrn_loops.inc"
#include "isa.hpp"

namespace {

// Tiles cuts a tensor into positions side by side that one call of a loop takes.
struct Tiles {
  Tiles(const gc_lrn &l, const gc_desc &x) : v(channels(x)), p{v.c, l.size, l.alpha, l.beta, l.k, 0, 0} {
    if (v.s == 1 && v.block == 1) {  // channels side by side: one block of them
      v.s = v.n;
      v.n = 1;
      v.block = v.c;
    }
    blocked = v.block > 1;
    tile = blocked ? 16 : 64;
    tiles = (v.s + tile - 1) / tile;
    p.lanes = v.block;
    p.row = (v.blocks() * v.block + p.size + 15) / 16 * 16;
    room = 2 * tile * (blocked ? p.row : p.c + p.size);
  }
  Channels v;
  Norm p;
  bool blocked;
  int64_t tile, tiles, room;

  int64_t item() const { return v.blocks() * v.block * v.s; }
  int64_t stride() const { return v.s * v.block; }

  // each runs f(offset, width, room) on every tile.
  template <class F>
  void each(float *workspace, F f) const {
    team(v.n * item(), [&](int thread, int threads) {
      const Share s(v.n * tiles, 1, thread, threads);
      for (int64_t i = s.from; i < s.to; i++) {
        const int64_t at = i % tiles * tile;
        f(i / tiles * item() + at * v.block, std::min(tile, v.s - at), workspace + thread * room);
      }
    });
  }
};

gc_kernel *forward(const gc_lrn &l, const gc_io &io) {
  const bool aux = io.out[1].dtype != GC_NONE;
  if (io.out[0].dtype == GC_NONE) throw Unsupported("an output that nobody reads");
  same_layout(io.in[0], io.out[0]);
  if (aux) same_layout(io.in[0], io.out[1]);
  const Tiles z(l, io.in[0]);
  const auto f = z.blocked ? PICK(lrn_blocked) : PICK(lrn);
  gc_kernel *k = loop([=](void *const *b) {
    float *y = f32(b, 1), *scale = aux ? f32(b, 2) : nullptr;
    z.each(f32(b, 3), [&](int64_t at, int64_t width, float *room) {
      f(f32(b, 0) + at, y + at, scale ? scale + at : nullptr, &z.p, z.stride(), width, room);
    });
    zero_tail(y, z.v);
    if (aux) zero_tail(scale, z.v);
  });
  k->workspace = io.threads * z.room * 4;
  return k;
}

gc_kernel *backward(const gc_lrn &l, const gc_io &io) {
  for (int i = 0; i < 4; i++) same_layout(io.in[i], io.out[0]);
  const Tiles z(l, io.out[0]);
  const auto f = z.blocked ? PICK(lrn_grad_blocked) : PICK(lrn_grad);
  gc_kernel *k = loop([=](void *const *b) {
    z.each(f32(b, 5), [&](int64_t at, int64_t width, float *room) {
      f(f32(b, 0) + at, f32(b, 1) + at, f32(b, 2) + at, f32(b, 3) + at, f32(b, 4) + at, &z.p, z.stride(), width, room);
    });
    zero_tail(f32(b, 4), z.v);
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
