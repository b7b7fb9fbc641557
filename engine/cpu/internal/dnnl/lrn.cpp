#include "bf16.hpp"

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
    room = 3 * tile * (blocked ? p.row : p.c + p.size);
  }
  Channels v;
  Norm p;
  bool blocked;
  int64_t tile, tiles, room;

  int64_t item() const { return v.blocks() * v.block * v.s; }
  int64_t stride() const { return v.s * v.block; }

  // each runs f(offset, width, thread) on every tile.
  template <class F>
  void each(F f) const {
    team(v.n * item(), [&](int thread, int threads) {
      const Share s(v.n * tiles, 1, thread, threads);
      for (int64_t i = s.from; i < s.to; i++) {
        const int64_t at = i % tiles * tile;
        f(i / tiles * item() + at * v.block, std::min(tile, v.s - at), thread);
      }
    });
  }
};

// Tensors are those of the block, which the loops see as float32. If any is bfloat16
// each tile of all is gathered in the workspace, densely, and what is written goes back.
struct Tensors {
  Tensors(const Tiles &z, const gc_io &io) : z(z), inputs(io.n_in), n(io.n_in + io.n_out), size(z.v.blocks() * z.v.block * z.tile) {
    for (int i = 0; i < n; i++) {
      const gc_desc &d = i < inputs ? io.in[i] : io.out[i - inputs];
      used[i] = d.dtype != GC_NONE;
      if (used[i]) alike(d, io.in[0]);
      narrow[i] = d.dtype == GC_BF16;
      any |= narrow[i];
    }
    room = z.room + (any ? n * size : 0);
  }

  // each runs f(tensors, stride, width, room) on every tile; an unread output is nullptr.
  template <class F>
  void each(void *const *b, F f) const {
    z.each([&](int64_t at, int64_t width, int thread) {
      float *scratch = f32(b, n) + thread * room, *p[3];
      if (!any) {
        for (int i = 0; i < n; i++) p[i] = used[i] ? f32(b, i) + at : nullptr;
        return f(p, z.stride(), width, scratch);
      }
      for (int i = 0; i < n; i++) {
        p[i] = used[i] ? scratch + z.room + i * size : nullptr;
        if (i < inputs) move(b[i], narrow[i], at, width, p[i], false);
      }
      f(p, width * z.v.block, width, scratch);
      for (int i = inputs; i < n; i++)
        if (used[i]) move(b[i], narrow[i], at, width, p[i], true);
    });
    for (int i = inputs; i < n; i++)
      if (used[i]) zero_tail(b[i], z.v, narrow[i]);
  }

  int64_t workspace(int threads) const { return threads * room * 4; }

 private:
  // move gathers a tile at p, or stores it.
  void move(void *x, bool narrow, int64_t at, int64_t width, float *p, bool store) const {
    const int64_t run = width * z.v.block;
    for (int64_t k = 0; k < z.v.blocks(); k++, at += z.stride(), p += run) {
      uint16_t *half = static_cast<uint16_t *>(x) + at;
      float *full = static_cast<float *>(x) + at;
      if (narrow) store ? round_to(p, half, run) : widen(half, p, run);
      else memcpy(store ? full : p, store ? p : full, run * sizeof(float));
    }
  }

  Tiles z;
  int inputs, n;
  int64_t size, room;
  bool used[3], narrow[3], any = false;
};

gc_kernel *forward(const gc_lrn &l, const gc_io &io) {
  if (io.out[0].dtype == GC_NONE) throw Unsupported("an output that nobody reads");
  const Tiles z(l, io.in[0]);
  const Tensors t(z, io);
  const auto f = z.blocked ? PICK(lrn_blocked) : PICK(lrn);
  gc_kernel *k = loop([=](void *const *b) {
    t.each(b, [&](float *const *p, int64_t stride, int64_t width, float *room) { f(p[0], p[1], &z.p, stride, width, room); });
  });
  k->workspace = t.workspace(io.threads);
  return k;
}

gc_kernel *backward(const gc_lrn &l, const gc_io &io) {
  const Tiles z(l, io.out[0]);
  const Tensors t(z, io);
  const auto f = z.blocked ? PICK(lrn_grad_blocked) : PICK(lrn_grad);
  gc_kernel *k = loop([=](void *const *b) {
    t.each(b, [&](float *const *p, int64_t stride, int64_t width, float *room) {
      f(p[0], p[1], p[2], &z.p, stride, width, room);
    });
  });
  k->workspace = t.workspace(io.threads);
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
