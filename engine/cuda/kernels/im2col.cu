#include "dev.h"

#define SPATIAL 3

// ColumnArgs: planes of three spatial axes, the missing ones of size 1. Columns
// are plane × tap × out.
struct ColumnArgs {
  u64 x, y;
  Div taps, in_plane, out_plane;
  Div in[SPATIAL], out[SPATIAL], kernel[SPATIAL], stride[SPATIAL];
  i32 pad[SPATIAL], dilation[SPATIAL];
  u32 n;
};

// axes_of splits a place into its axes.
DEV void axes_of(u32 p, const Div *size, u32 (&at)[SPATIAL]) {
#pragma unroll
  for (int k = SPATIAL - 1; k > 0; k--) {
    u32 q = quotient(p, size[k]);
    at[k] = p - q * size[k].d;
    p = q;
  }
  at[0] = p;
}

DEV void im2col(const ColumnArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 row = quotient(i, a.out_plane), plane = quotient(row, a.taps);
    u32 o[SPATIAL], tap[SPATIAL], p = 0;
    axes_of(i - row * a.out_plane.d, a.out, o);
    axes_of(row - plane * a.taps.d, a.kernel, tap);
    bool inside = true;
#pragma unroll
    for (int k = 0; k < SPATIAL; k++) {
      i32 at = (i32)(o[k] * a.stride[k].d) - a.pad[k] + (i32)tap[k] * a.dilation[k];
      inside = inside && at >= 0 && at < (i32)a.in[k].d;
      p = p * a.in[k].d + (u32)at;
    }
    ((float *)a.y)[i] = inside ? ((const float *)a.x)[plane * a.in_plane.d + p] : 0;
  }
}
THREADS(im2col, ColumnArgs, im2col)

// col2im: each element asks every tap for the window that has it there.
DEV void col2im(const ColumnArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 plane = quotient(i, a.in_plane), at[SPATIAL], tap[SPATIAL];
    axes_of(i - plane * a.in_plane.d, a.in, at);
    float all = 0;
    for (u32 t = 0; t < a.taps.d; t++) {
      axes_of(t, a.kernel, tap);
      u32 p = 0;
      bool inside = true;
#pragma unroll
      for (int k = 0; k < SPATIAL; k++) {
        i32 from = (i32)at[k] + a.pad[k] - (i32)tap[k] * a.dilation[k];
        u32 o = quotient((u32)most(from, 0), a.stride[k]);
        inside = inside && from >= 0 && o * a.stride[k].d == (u32)from && o < a.out[k].d;
        p = p * a.out[k].d + o;
      }
      if (inside) all += ((const float *)a.x)[(plane * a.taps.d + t) * a.out_plane.d + p];
    }
    ((float *)a.y)[i] = all;
  }
}
THREADS(col2im, ColumnArgs, col2im)
