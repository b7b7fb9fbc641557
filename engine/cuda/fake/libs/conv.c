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

int shape_overlaps(const shape *s) {
  for (int i = 0; i < s->rank; i++) {
    if (s->dims[i] == 1) continue;
    int64_t within = 0; // the span of the dimensions with smaller strides
    for (int j = 0; j < s->rank; j++) {
      if (s->strides[j] < s->strides[i]) within += (s->dims[j] - 1) * s->strides[j];
      if (j != i && s->strides[j] == s->strides[i] && s->dims[j] > 1) return 1;
    }
    if (within >= s->strides[i]) return 1;
  }
  return 0;
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
  int64_t row = s->dims[s->rank - 1], step = s->strides[s->rank - 1];
  for (int64_t i = 0; i < n; i += row) {
    int64_t p = offset(s, i);
    if (s->type == FAKE_BFLOAT16)
      for (int64_t j = 0; j < row; j++) dense[i + j] = from_bits((uint32_t)((const uint16_t *)at)[p + j * step] << 16);
    else
      for (int64_t j = 0; j < row; j++) dense[i + j] = ((const float *)at)[p + j * step];
  }
  for (int64_t i = 0; i < n && tf32; i++) dense[i] = from_bits(rounded(dense[i], TF32_DROPS));
  return dense;
}

void tensor_store(const shape *s, void *at, const float *dense) {
  int64_t n = shape_count(s);
  int64_t row = s->dims[s->rank - 1], step = s->strides[s->rank - 1];
  for (int64_t i = 0; i < n; i += row) {
    int64_t p = offset(s, i);
    if (s->type == FAKE_BFLOAT16)
      for (int64_t j = 0; j < row; j++) ((uint16_t *)at)[p + j * step] = (uint16_t)(rounded(dense[i + j], BF16_DROPS) >> 16);
    else
      for (int64_t j = 0; j < row; j++) ((float *)at)[p + j * step] = dense[i + j];
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

static int64_t volume(const int64_t d[MAX_AXES]) { return d[0] * d[1] * d[2]; }

// A row is a run of outputs and the inputs that meet them at one tap of the kernel, step
// apart; first and last bound the outputs whose input is not padding.
typedef void row_fn(void *planes, void *column, int64_t input, int64_t output, int64_t first, int64_t last, int64_t step);

// rows walks over the rows of one tap.
static void rows(const geometry *z, int64_t t, row_fn *row, void *planes, void *column) {
  int64_t at[MAX_AXES], s = z->stride[2], n = z->out[2];
  for (int i = MAX_AXES - 1; i >= 0; i--) at[i] = t % z->k[i] * z->dilation[i] - z->pad[i], t /= z->k[i];
  int64_t first = at[2] < 0 ? (-at[2] + s - 1) / s : 0, last = at[2] >= z->in[2] ? 0 : (z->in[2] - 1 - at[2]) / s + 1;
  if (last > n) last = n;
  if (first > last) first = last;
  for (int64_t p = 0; p < z->out[0]; p++)
    for (int64_t q = 0; q < z->out[1]; q++) {
      int64_t d = p * z->stride[0] + at[0], h = q * z->stride[1] + at[1];
      int out = d < 0 || d >= z->in[0] || h < 0 || h >= z->in[1];
      row(planes, column, (d * z->in[1] + h) * z->in[2] + at[2], (p * z->out[1] + q) * n, out ? 0 : first, out ? 0 : last, s);
    }
}

static void take_row(void *planes, void *column, int64_t input, int64_t output, int64_t first, int64_t last, int64_t step) {
  const float *x = (const float *)planes + input;
  float *y = (float *)column + output;
  for (int64_t i = first; i < last; i++) y[i] = x[i * step];
}

static void add_row(void *planes, void *column, int64_t input, int64_t output, int64_t first, int64_t last, int64_t step) {
  double *x = (double *)planes + input;
  const double *y = (const double *)column + output;
  for (int64_t i = first; i < last; i++) x[i * step] += y[i];
}

// columns lays out what each tap of each channel of a group meets: (cg·taps, outputs).
static void columns(const geometry *z, const float *x, float *all) {
  int64_t taps = volume(z->k), in = volume(z->in), out = volume(z->out);
  memset(all, 0, (size_t)(z->cg * taps * out) * sizeof *all);
  for (int64_t k = 0; k < z->cg * taps; k++) rows(z, k % taps, take_row, (float *)x + k / taps * in, all + k * out);
}

// add_scaled adds count vectors of n values, far apart, each times a weight, step apart.
static void add_scaled(double *sum, const float *v, int64_t n, int64_t far, const float *w, int64_t step, int64_t count) {
  memset(sum, 0, (size_t)n * sizeof *sum);
  int64_t k = 0;
  for (; k + 4 <= count; k += 4) {
    const float *a = v + k * far, *b = a + far, *c = b + far, *d = c + far;
    double wa = w[k * step], wb = w[(k + 1) * step], wc = w[(k + 2) * step], wd = w[(k + 3) * step];
    for (int64_t i = 0; i < n; i++) sum[i] += wa * a[i] + wb * b[i] + (wc * c[i] + wd * d[i]);
  }
  for (; k < count; k++)
    for (int64_t i = 0; i < n; i++) sum[i] += (double)w[k * step] * v[k * far + i];
}

double tensor_dot(const float *a, const float *b, int64_t n) {
  double part[8] = {0}, sum = 0;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; j++) part[j] += (double)a[i + j] * b[i + j];
  for (; i < n; i++) sum += (double)a[i] * b[i];
  for (int j = 0; j < 8; j++) sum += part[j];
  return sum;
}

void convolve(int direction, const window *g, const shape *x, const shape *w, const shape *y, const float *a,
              const float *b, float *result) {
  geometry z = spread(g, x, w, y);
  int64_t in = volume(z.in), out = volume(z.out), taps = volume(z.k), terms = z.cg * taps;
  float *all = malloc((size_t)(terms * out) * sizeof *all);
  double *sum = malloc((size_t)(out > z.cg * in ? out : z.cg * in) * sizeof *sum), *part = malloc((size_t)out * sizeof *part);
  double *dw = calloc((size_t)(z.o * terms), sizeof *dw);
  for (int64_t i = 0; i < z.n * g->groups; i++) {
    int64_t n = i / g->groups, o = i % g->groups * z.og;
    int64_t at_x = (n * z.c + i % g->groups * z.cg) * in, at_y = (n * z.o + o) * out;
    if (direction == GRAD_DATA) {
      memset(sum, 0, (size_t)(z.cg * in) * sizeof *sum);
      for (int64_t k = 0; k < terms; k++) {
        add_scaled(part, a + at_y, out, out, b + o * terms + k, terms, z.og);
        rows(&z, k % taps, add_row, sum + k / taps * in, part);
      }
      for (int64_t j = 0; j < z.cg * in; j++) result[at_x + j] = (float)sum[j];
      continue;
    }
    columns(&z, a + at_x, all);
    for (int64_t j = 0; j < z.og; j++) {
      if (direction == GRAD_WEIGHTS) {
        for (int64_t k = 0; k < terms; k++) dw[(o + j) * terms + k] += tensor_dot(b + at_y + j * out, all + k * out, out);
        continue;
      }
      add_scaled(sum, all, out, out, b + (o + j) * terms, 1, terms);
      for (int64_t k = 0; k < out; k++) result[at_y + j * out + k] = (float)sum[k];
    }
  }
  for (int64_t k = 0; k < z.o * terms && direction == GRAD_WEIGHTS; k++) result[k] = (float)dw[k];
  free(all), free(sum), free(part), free(dw);
}
