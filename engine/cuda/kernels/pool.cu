#include "dev.h"
#include "map.h"

#define AXES 3

// PoolArgs: planes of three spatial axes, the missing ones of size 1. A tensor is
// outer × plane × inner: inner is 1 for planes (NCHW), the channels for NHWC.
struct PoolArgs {
  u64 dy, x, index, y;
  Div inner, in_plane, out_plane;
  Div in[AXES], out[AXES]; // sizes
  Div stride[AXES];
  i32 kernel[AXES], pad[AXES];
  u32 n; // elements to write
  u32 mask;
};

// Range is the cells, or the windows, from … to−1 of an axis.
struct Range {
  i32 from, to;
};

// unravel splits a place in a plane into its axes.
DEV void unravel(u32 p, const Div *size, u32 (&at)[AXES]) {
#pragma unroll
  for (int k = AXES - 1; k > 0; k--) {
    u32 q = quotient(p, size[k]);
    at[k] = p - q * size[k].d;
    p = q;
  }
  at[0] = p;
}

// cells of window o, inside the image; size is the window's, before it is clipped
// to the image itself.
DEV Range cells(const PoolArgs &a, int k, u32 o, i32 *size) {
  i32 from = (i32)(o * a.stride[k].d) - a.pad[k];
  i32 to = least(from + a.kernel[k], (i32)a.in[k].d + a.pad[k]);
  *size *= most(to - from, 0);
  return Range{most(from, 0), least(to, (i32)a.in[k].d)};
}

// windows that may cover cell p.
DEV Range windows(const PoolArgs &a, int k, u32 p) {
  i32 last = (i32)p + a.pad[k], lead = last - a.kernel[k] + 1;
  i32 from = lead <= 0 ? 0 : (i32)quotient((u32)lead + a.stride[k].d - 1, a.stride[k]);
  return Range{from, least((i32)quotient((u32)last, a.stride[k]) + 1, (i32)a.out[k].d)};
}

// Spot is an element: which plane it is in, and where there.
struct Spot {
  u32 base, at[AXES], place;
};

// spot_of is element i of a tensor of planes; base is where its plane begins in a
// tensor of other planes.
DEV Spot spot_of(const PoolArgs &a, u32 i, const Div &plane, const Div *size, const Div &other) {
  Spot s;
  u32 row = quotient(i, a.inner), r = i - row * a.inner.d;
  u32 o = quotient(row, plane);
  s.place = row - o * plane.d;
  unravel(s.place, size, s.at);
  s.base = o * other.d * a.inner.d + r;
  return s;
}

// visit calls f for each place of a box of a plane, in row-major order.
template <class F> DEV void visit(const Range (&r)[AXES], const Div *size, F f) {
  for (i32 d = r[0].from; d < r[0].to; d++)
    for (i32 h = r[1].from; h < r[1].to; h++)
      for (i32 w = r[2].from; w < r[2].to; w++) {
        u32 at[AXES] = {(u32)d, (u32)h, (u32)w};
        f(((u32)d * size[1].d + (u32)h) * size[2].d + (u32)w, at);
      }
}

template <class T> DEV void max_pool(const PoolArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    Spot s = spot_of(a, i, a.out_plane, a.out, a.in_plane);
    Range r[AXES];
    i32 size = 1;
#pragma unroll
    for (int k = 0; k < AXES; k++) r[k] = cells(a, k, s.at[k], &size);
    float best = -MOST;
    i32 at = -1;
    visit(r, a.in, [&](u32 p, const u32(&)[AXES]) {
      float v = value(((const T *)a.x)[s.base + p * a.inner.d]);
      if (v > best) best = v, at = (i32)p;
    });
    if (a.y) put((T *)a.y + i, best);
    if (!a.index) continue;
    if (a.mask) {
      ((float *)a.index)[i] = (float)at;
    } else {
      ((i32 *)a.index)[i] = at;
    }
  }
}
BOTH(THREADS, max_pool, PoolArgs, max_pool)

template <class T> DEV void ave_pool(const PoolArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    Spot s = spot_of(a, i, a.out_plane, a.out, a.in_plane);
    Range r[AXES];
    i32 size = 1;
#pragma unroll
    for (int k = 0; k < AXES; k++) r[k] = cells(a, k, s.at[k], &size);
    float all = 0;
    visit(r, a.in, [&](u32 p, const u32(&)[AXES]) { all += value(((const T *)a.x)[s.base + p * a.inner.d]); });
    put((T *)a.y + i, size > 0 ? all / (float)size : 0);
  }
}
BOTH(THREADS, ave_pool, PoolArgs, ave_pool)

// The gradients ask for each cell which windows gave it something, so that no two
// threads write one element and the sum has one order.

template <class T> DEV void max_pool_grad(const PoolArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    Spot s = spot_of(a, i, a.in_plane, a.in, a.out_plane);
    Range r[AXES];
#pragma unroll
    for (int k = 0; k < AXES; k++) r[k] = windows(a, k, s.at[k]);
    float all = 0;
    visit(r, a.out, [&](u32 p, const u32(&)[AXES]) {
      u32 j = s.base + p * a.inner.d;
      i32 at = a.mask ? (i32)((const float *)a.index)[j] : ((const i32 *)a.index)[j];
      if (at == (i32)s.place) all += value(((const T *)a.dy)[j]);
    });
    put((T *)a.y + i, all);
  }
}
BOTH(THREADS, max_pool_grad, PoolArgs, max_pool_grad)

template <class T> DEV void ave_pool_grad(const PoolArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    Spot s = spot_of(a, i, a.in_plane, a.in, a.out_plane);
    Range r[AXES];
#pragma unroll
    for (int k = 0; k < AXES; k++) r[k] = windows(a, k, s.at[k]);
    float all = 0;
    visit(r, a.out, [&](u32 p, const u32(&o)[AXES]) {
      i32 size = 1;
#pragma unroll
      for (int k = 0; k < AXES; k++) cells(a, k, o[k], &size);
      if (size > 0) all += value(((const T *)a.dy)[s.base + p * a.inner.d]) / (float)size;
    });
    put((T *)a.y + i, all);
  }
}
BOTH(THREADS, ave_pool_grad, PoolArgs, ave_pool_grad)
