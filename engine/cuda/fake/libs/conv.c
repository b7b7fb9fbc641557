#include "conv.h"

#include <stdlib.h>
#include <string.h>

int64_t shape_count(const shape *s) {
  int64_t n = 1;
  for (int i = 0; i < s->rank; i++) n *= s->dims[i];
  return n;
}

size_t type_bytes(int type) { return type == FAKE_BFLOAT16 ? 2 : 4; }

size_t shape_bytes(const shape *s) {
  int64_t last = 0;
  for (int i = 0; i < s->rank; i++) {
    if (s->dims[i] < 1 || s->strides[i] < 1) return 0;
    last += (s->dims[i] - 1) * s->strides[i];
  }
  return (size_t)(last + 1) * type_bytes(s->type);
}

// offset is where the i-th value, in the order of the dimensions, lies.
static int64_t offset(const shape *s, int64_t i) {
  int64_t at = 0;
  for (int d = s->rank - 1; d >= 0; d--) {
    at += i % s->dims[d] * s->strides[d];
    i /= s->dims[d];
  }
  return at;
}

static float from_bits(uint32_t bits) {
  float v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

static uint32_t to_bits(float v) {
  uint32_t bits;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}

// rounded drops the low bits of a float32, to the nearest, ties to even.
static uint32_t rounded(float v, int drop) {
  uint32_t bits = to_bits(v);
  if ((bits & 0x7f800000) == 0x7f800000) return bits; // infinite or not a number
  uint32_t half = (1u << (drop - 1)) - 1 + (bits >> drop & 1);
  return (bits + half) >> drop << drop;
}

enum { TF32_DROPS = 13, BF16_DROPS = 16 };

float *tensor_load(const shape *s, const void *at, int tf32) {
  int64_t n = shape_count(s);
  float *dense = malloc((size_t)n * sizeof(float));
  for (int64_t i = 0; i < n; i++) {
    int64_t p = offset(s, i);
    dense[i] = s->type == FAKE_BFLOAT16 ? from_bits((uint32_t)((const uint16_t *)at)[p] << 16) : ((const float *)at)[p];
    if (tf32) dense[i] = from_bits(rounded(dense[i], TF32_DROPS));
  }
  return dense;
}

void tensor_store(const shape *s, void *at, const float *dense) {
  int64_t n = shape_count(s);
  for (int64_t i = 0; i < n; i++) {
    int64_t p = offset(s, i);
    if (s->type == FAKE_BFLOAT16)
      ((uint16_t *)at)[p] = (uint16_t)(rounded(dense[i], BF16_DROPS) >> 16);
    else
      ((float *)at)[p] = dense[i];
  }
}

int window_fits(const window *g, const shape *x, const shape *w, const shape *y) {
  if (x->rank != g->axes + 2 || w->rank != x->rank || y->rank != x->rank || g->groups < 1) return 0;
  if (x->dims[0] != y->dims[0] || y->dims[1] != w->dims[0] || x->dims[1] != w->dims[1] * g->groups ||
      w->dims[0] % g->groups)
    return 0;
  for (int i = 0; i < g->axes; i++) {
    int64_t room = x->dims[2 + i] + 2 * g->pad[i] - (g->dilation[i] * (w->dims[2 + i] - 1) + 1);
    if (room < 0 || room / g->stride[i] + 1 != y->dims[2 + i]) return 0;
  }
  return 1;
}

// A convolution whose axes are made three by leading ones.
typedef struct {
  int64_t n, c, o, cg, og;
  int64_t in[MAX_AXES], out[MAX_AXES], k[MAX_AXES], pad[MAX_AXES], stride[MAX_AXES], dilation[MAX_AXES];
} geometry;

static geometry spread(const window *g, const shape *x, const shape *w, const shape *y) {
  geometry z = {.n = x->dims[0], .c = x->dims[1], .o = w->dims[0], .cg = w->dims[1], .og = w->dims[0] / g->groups};
  int skip = MAX_AXES - g->axes;
  for (int i = 0; i < MAX_AXES; i++) {
    z.in[i] = z.out[i] = z.k[i] = z.stride[i] = z.dilation[i] = 1;
    if (i < skip) continue;
    z.in[i] = x->dims[2 + i - skip], z.out[i] = y->dims[2 + i - skip], z.k[i] = w->dims[2 + i - skip];
    z.pad[i] = g->pad[i - skip], z.stride[i] = g->stride[i - skip], z.dilation[i] = g->dilation[i - skip];
  }
  return z;
}

// pair walks over the outputs that meet an input at one tap of the kernel, row by row:
// y holds float64 sums or values of the output's plane, x the input's.
typedef void row_fn(double *sum, const float *dense, int64_t sum_at, int64_t dense_at, int64_t n, int64_t step, float v,
                    double *total);

static void walk(const geometry *z, const int64_t tap[MAX_AXES], row_fn *row, double *sum, const float *dense, float v,
                 double *total) {
  int64_t at[MAX_AXES];
  for (int i = 0; i < MAX_AXES; i++) at[i] = tap[i] * z->dilation[i] - z->pad[i];
  for (int64_t p = 0; p < z->out[0]; p++) {
    int64_t d = p * z->stride[0] + at[0];
    if (d < 0 || d >= z->in[0]) continue;
    for (int64_t q = 0; q < z->out[1]; q++) {
      int64_t h = q * z->stride[1] + at[1];
      if (h < 0 || h >= z->in[1]) continue;
      int64_t s = z->stride[2], lo = at[2] < 0 ? (-at[2] + s - 1) / s : 0;
      int64_t hi = at[2] >= z->in[2] ? 0 : (z->in[2] - 1 - at[2]) / s + 1;
      if (hi > z->out[2]) hi = z->out[2];
      if (lo >= hi) continue;
      row(sum, dense, (p * z->out[1] + q) * z->out[2] + lo, (d * z->in[1] + h) * z->in[2] + lo * s + at[2], hi - lo, s, v,
          total);
    }
  }
}

static void row_forward(double *y, const float *x, int64_t ya, int64_t xa, int64_t n, int64_t s, float v, double *total) {
  (void)total;
  if (s == 1)
    for (int64_t i = 0; i < n; i++) y[ya + i] += (double)v * x[xa + i];
  else
    for (int64_t i = 0; i < n; i++) y[ya + i] += (double)v * x[xa + i * s];
}

static void row_data(double *x, const float *y, int64_t ya, int64_t xa, int64_t n, int64_t s, float v, double *total) {
  (void)total;
  for (int64_t i = 0; i < n; i++) x[xa + i * s] += (double)v * y[ya + i];
}

// The sum of products: here the "sum" is x as it is.
static void row_weights(double *x, const float *y, int64_t ya, int64_t xa, int64_t n, int64_t s, float v, double *total) {
  (void)v;
  double t = 0;
  for (int64_t i = 0; i < n; i++) t += x[xa + i * s] * y[ya + i];
  *total += t;
}

static int64_t volume(const int64_t d[MAX_AXES]) { return d[0] * d[1] * d[2]; }

static void tap_at(const geometry *z, int64_t t, int64_t tap[MAX_AXES]) {
  for (int i = MAX_AXES - 1; i >= 0; i--) tap[i] = t % z->k[i], t /= z->k[i];
}

// planes computes output planes as weighted sums of input planes, forward or backward.
static void planes(const geometry *z, int back, const float *a, const float *w, float *out) {
  int64_t from = volume(back ? z->out : z->in), to = volume(back ? z->in : z->out), taps = volume(z->k);
  int64_t channels = back ? z->c : z->o, terms = back ? z->og : z->cg;
  double *sum = malloc((size_t)to * sizeof *sum);
  for (int64_t i = 0; i < z->n * channels; i++) {
    int64_t n = i / channels, c = i % channels, group = c / (back ? z->cg : z->og);
    memset(sum, 0, (size_t)to * sizeof *sum);
    for (int64_t j = 0; j < terms; j++) {
      int64_t source = group * terms + j, o = back ? source : c, ci = back ? c % z->cg : j;
      const float *plane = a + (n * (back ? z->o : z->c) + source) * from;
      for (int64_t t = 0; t < taps; t++) {
        int64_t tap[MAX_AXES];
        tap_at(z, t, tap);
        walk(z, tap, back ? row_data : row_forward, sum, plane, w[(o * z->cg + ci) * taps + t], NULL);
      }
    }
    for (int64_t j = 0; j < to; j++) out[i * to + j] = (float)sum[j];
  }
  free(sum);
}

static void weights(const geometry *z, const float *x, const float *dy, float *dw) {
  int64_t in = volume(z->in), out = volume(z->out), taps = volume(z->k);
  double *plane = malloc((size_t)in * sizeof *plane), *total = calloc((size_t)(z->o * z->cg * taps), sizeof *total);
  for (int64_t n = 0; n < z->n; n++)
    for (int64_t c = 0; c < z->c; c++) {
      for (int64_t i = 0; i < in; i++) plane[i] = x[(n * z->c + c) * in + i];
      for (int64_t o = c / z->cg * z->og; o < (c / z->cg + 1) * z->og; o++)
        for (int64_t t = 0; t < taps; t++) {
          int64_t tap[MAX_AXES];
          tap_at(z, t, tap);
          walk(z, tap, row_weights, plane, dy + (n * z->o + o) * out, 0, &total[(o * z->cg + c % z->cg) * taps + t]);
        }
    }
  for (int64_t i = 0; i < z->o * z->cg * taps; i++) dw[i] = (float)total[i];
  free(plane);
  free(total);
}

void convolve(int direction, const window *g, const shape *x, const shape *w, const shape *y, const float *a,
              const float *b, float *out) {
  geometry z = spread(g, x, w, y);
  if (direction == GRAD_WEIGHTS)
    weights(&z, a, b, out);
  else
    planes(&z, direction == GRAD_DATA, a, b, out);
}
