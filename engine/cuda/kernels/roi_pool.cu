#include "dev.h"

// RegionArgs: regions of (item, x1, y1, x2, y2) over planes of h × w cells. y has
// channels planes of rows × columns bins a region; x, or dx for a gradient,
// planes planes an item.
struct RegionArgs {
  u64 x, rois, index, y, flag;
  Div h, w, rows, columns, channels, planes;
  u32 n, regions, items;
  float scale;
};

// item_of is the item of region r, −1 and a report where it is none.
DEV i32 item_of(const RegionArgs &a, u32 r) {
  float v = ((const float *)a.rois)[5 * r];
  i32 item = truncated(v, -1);
  if (item >= 0 && item < (i32)a.items) return item;
  fail(a.flag, r, v);
  return -1;
}

// Span is the cells from … to−1 of an axis.
struct Span {
  i32 from, to;
};

DEV Span clipped(i32 from, i32 to, u32 size) {
  return Span{least(most(from, 0), (i32)size), least(most(to, 0), (i32)size)};
}

// roi_bin is bin i of an axis. The arithmetic is Caffe's in float32: a bin's edge
// may fall on a cell's.
DEV Span roi_bin(float first, float last, float scale, u32 i, u32 bins, u32 size) {
  i32 start = (i32)round32(first * scale), end = (i32)round32(last * scale);
  float width = (float)most(end - start + 1, 1) / (float)bins;
  return clipped((i32)floor32((float)i * width) + start, (i32)ceil32((float)(i + 1) * width) + start, size);
}

// roi_pool takes the first strict maximum of each bin; y or index may be 0.
DEV void roi_pool(const RegionArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 row = quotient(i, a.columns), plane = quotient(row, a.rows), r = quotient(plane, a.channels);
    i32 item = item_of(a, r);
    const float *roi = (const float *)a.rois + 5 * r;
    Span h = roi_bin(roi[2], roi[4], a.scale, row - plane * a.rows.d, a.rows.d, a.h.d);
    Span w = roi_bin(roi[1], roi[3], a.scale, i - row * a.columns.d, a.columns.d, a.w.d);
    float best = h.from < h.to && w.from < w.to ? -MOST : 0;
    i32 at = -1;
    if (item >= 0) {
      u32 from = (u32)item * a.channels.d + plane - r * a.channels.d;
      const float *x = (const float *)a.x + from * a.h.d * a.w.d;
      for (i32 y = h.from; y < h.to; y++)
        for (i32 z = w.from; z < w.to; z++) {
          float v = x[y * (i32)a.w.d + z];
          if (v > best) best = v, at = y * (i32)a.w.d + z;
        }
    }
    if (a.y) ((float *)a.y)[i] = best;
    if (a.index) ((i32 *)a.index)[i] = at;
  }
}
THREADS(roi_pool, RegionArgs, roi_pool)

// roi_pool_grad: a thread goes through all regions for one plane of dx, in order;
// y begins as zeros.
DEV void roi_pool_grad(const RegionArgs &a) {
  u32 bins = a.rows.d * a.columns.d, area = a.h.d * a.w.d;
  for (u32 p = first(); p < a.n; p += step()) {
    u32 item = quotient(p, a.channels), c = p - item * a.channels.d;
    float *y = (float *)a.y + p * area;
    for (u32 r = 0; r < a.regions; r++) {
      if (item_of(a, r) != (i32)item) continue;
      u32 from = (r * a.channels.d + c) * bins;
      for (u32 j = from; j < from + bins; j++) {
        i32 at = ((const i32 *)a.index)[j];
        if (at >= 0 && at < (i32)area) y[at] += ((const float *)a.x)[j];
      }
    }
  }
}
THREADS(roi_pool_grad, RegionArgs, roi_pool_grad)

// psroi_bin is bin i of an axis, Caffe's arithmetic again.
DEV Span psroi_bin(float first, float last, float scale, u32 i, u32 bins, u32 size) {
  float start = round32(first) * scale, end = (round32(last) + 1.0f) * scale;
  float width = larger(end - start, 0.1f) / (float)bins;
  return clipped((i32)floor32((float)i * width + start), (i32)ceil32((float)(i + 1) * width + start), size);
}

// psroi_pool averages bin (i, j) of output c over plane (c·rows + i)·columns + j.
DEV void psroi_pool(const RegionArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 r = quotient(i, a.planes), plane = i - r * a.planes.d;
    u32 row = quotient(plane, a.columns);
    i32 item = item_of(a, r);
    const float *roi = (const float *)a.rois + 5 * r;
    Span h = psroi_bin(roi[2], roi[4], a.scale, remainder(row, a.rows), a.rows.d, a.h.d);
    Span w = psroi_bin(roi[1], roi[3], a.scale, plane - row * a.columns.d, a.columns.d, a.w.d);
    float all = 0;
    i32 cells = (h.to - h.from) * (w.to - w.from);
    bool some = item >= 0 && h.from < h.to && w.from < w.to;
    if (some) {
      const float *x = (const float *)a.x + ((u32)item * a.planes.d + plane) * a.h.d * a.w.d;
      for (i32 y = h.from; y < h.to; y++)
        for (i32 z = w.from; z < w.to; z++) all += x[y * (i32)a.w.d + z];
    }
    ((float *)a.y)[i] = some ? all / (float)cells : 0;
  }
}
THREADS(psroi_pool, RegionArgs, psroi_pool)

// psroi_pool_grad: each cell asks the regions in order whether its bin holds it.
DEV void psroi_pool_grad(const RegionArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 line = quotient(i, a.w), p = quotient(line, a.h), item = quotient(p, a.planes), plane = p - item * a.planes.d;
    i32 y = (i32)(line - p * a.h.d), x = (i32)(i - line * a.w.d);
    u32 row = quotient(plane, a.columns);
    float all = 0;
    for (u32 r = 0; r < a.regions; r++) {
      if (item_of(a, r) != (i32)item) continue;
      const float *roi = (const float *)a.rois + 5 * r;
      Span h = psroi_bin(roi[2], roi[4], a.scale, remainder(row, a.rows), a.rows.d, a.h.d);
      Span w = psroi_bin(roi[1], roi[3], a.scale, plane - row * a.columns.d, a.columns.d, a.w.d);
      if (y < h.from || y >= h.to || x < w.from || x >= w.to) continue;
      all += ((const float *)a.x)[r * a.planes.d + plane] / (float)((h.to - h.from) * (w.to - w.from));
    }
    ((float *)a.y)[i] = all;
  }
}
THREADS(psroi_pool_grad, RegionArgs, psroi_pool_grad)
