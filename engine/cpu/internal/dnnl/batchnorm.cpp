#include "bf16.hpp"
#include "channelwise.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <cmath>

#define LOOPS "channelwise_loops.inc"
#include "isa.hpp"

namespace {

// Coefficients are a few values a channel in the workspace, 0 for padding so that it
// stays 0.
struct Coefficients {
  Coefficients(void *at, const Spans &s, int n) : padded(s.padded()), values(static_cast<float *>(at)) {
    std::fill(values, values + n * padded, 0.f);
  }
  static int64_t bytes(const Spans &s, int n) { return n * s.padded() * 4; }
  float *operator[](int i) const { return values + i * padded; }
  int64_t padded;
  float *values;
};

float inverse(float var, float eps) { return 1.f / std::sqrt(var + eps); }

gc_kernel *batch_norm(float eps, const gc_io &io) {
  const Spans s(channels(io.in[0]));
  const bool y = io.out[0].dtype != GC_NONE, mean = io.out[1].dtype != GC_NONE, var = io.out[2].dtype != GC_NONE;
  if (y) alike(io.in[0], io.out[0]);
  const Walk w(io);
  const double n = static_cast<double>(s.v.n * s.v.s);
  const auto sum = PICK(sum_plain), deviation = PICK(sum_deviation);
  const auto apply = PICK(affine);
  gc_kernel *k = loop([=](void *const *b) {
    const Coefficients c(b[4], s, 4);
    float *m = c[0], *v = c[1];
    s.sums([&](int64_t at, int64_t, int64_t len, double *to) {
             w.read(b, at, len, s.lanes, [&](float *const *p, int64_t k) { sum(p[0], nullptr, nullptr, k, s.lanes, to); });
           },
           [&](int64_t i, double t) { m[i] = static_cast<float>(t / n); });
    s.sums([&](int64_t at, int64_t first, int64_t len, double *to) {
             w.read(b, at, len, s.lanes, [&](float *const *p, int64_t k) { deviation(p[0], nullptr, m + first, k, s.lanes, to); });
           },
           [&](int64_t i, double t) { v[i] = static_cast<float>(t / n); });
    for (int64_t i = 0; i < s.v.c; i++) c[2][i] = inverse(v[i], eps);
    if (mean) std::copy(m, m + s.v.c, f32(b, 2));
    if (var) std::copy(v, v + s.v.c, f32(b, 3));
    if (y)
      s.each([&](int64_t at, int64_t i) {
        w.each(b, at, s.s, s.lanes, [&](float *const *p, int64_t k) { apply(p[0], p[1], k, s.lanes, m + i, c[2] + i, c[3] + i); });
      });
  });
  k->workspace = Coefficients::bytes(s, 4);
  return k;
}

// With t the sums over a channel and i = 1/√(var+eps):
// dx = i·dy − i·t(dy)/n − i³·t(dy·(x−mean))/n·(x−mean).
gc_kernel *batch_norm_grad(float eps, const gc_io &io) {
  alike(io.in[0], io.in[1]);
  alike(io.in[0], io.out[0]);
  const Walk w(io);
  const Spans s(channels(io.in[0]));
  const double n = static_cast<double>(s.v.n * s.v.s);
  const auto sum = PICK(sum_plain), product = PICK(sum_codeviation);
  const auto apply = PICK(center_scale);
  gc_kernel *k = loop([=](void *const *b) {
    const float *var = f32(b, 3);
    const Coefficients c(b[5], s, 4);
    std::copy(f32(b, 2), f32(b, 2) + s.v.c, c[0]);
    for (int64_t i = 0; i < s.v.c; i++) c[1][i] = inverse(var[i], eps);
    s.sums([&](int64_t at, int64_t, int64_t len, double *to) {
             w.read(b, at, len, s.lanes, [&](float *const *p, int64_t k) { sum(p[0], nullptr, nullptr, k, s.lanes, to); });
           },
           [&](int64_t i, double t) { c[3][i] = static_cast<float>(-c[1][i] * t / n); });
    s.sums([&](int64_t at, int64_t first, int64_t len, double *to) {
             w.read(b, at, len, s.lanes, [&](float *const *p, int64_t k) { product(p[1], p[0], c[0] + first, k, s.lanes, to); });
           },
           [&](int64_t i, double t) { c[2][i] = static_cast<float>(-c[1][i] * c[1][i] * c[1][i] * t / n); });
    s.each([&](int64_t at, int64_t i) {
      w.each(b, at, s.s, s.lanes, [&](float *const *p, int64_t k) {
        apply(p[0], p[1], p[4], k, s.lanes, c[0] + i, c[1] + i, c[2] + i, c[3] + i);
      });
    });
  });
  k->workspace = Coefficients::bytes(s, 4);
  return k;
}

// normalize is (x − mean)/√(var + eps), or x/√(var + eps) where mean is −1.
gc_kernel *normalize(float eps, int mean, int var, const gc_io &io) {
  alike(io.in[0], io.out[0]);
  const Walk w(io);
  const Spans s(channels(io.in[0]));
  const int out = io.n_in;
  const auto apply = PICK(affine);
  gc_kernel *k = loop([=](void *const *b) {
    const Coefficients c(b[out + 1], s, 3);
    if (mean >= 0) std::copy(f32(b, mean), f32(b, mean) + s.v.c, c[0]);
    for (int64_t i = 0; i < s.v.c; i++) c[1][i] = inverse(f32(b, var)[i], eps);
    s.each([&](int64_t at, int64_t i) {
      w.each(b, at, s.s, s.lanes, [&](float *const *p, int64_t k) { apply(p[0], p[out], k, s.lanes, c[0] + i, c[1] + i, c[2] + i); });
    });
  });
  k->workspace = Coefficients::bytes(s, 3);
  return k;
}

void decay(float *to, float fraction, const float *from, float factor, const float *add, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = fraction * from[i] + factor * add[i];
}

gc_kernel *moving_update(float fraction, int64_t total, const gc_io &io) {
  const int64_t c = count(io.in[0]);
  const float unbias = total > 1 ? static_cast<float>(total) / static_cast<float>(total - 1) : 1.f;
  bool read[3];
  for (int i = 0; i < 3; i++) read[i] = io.out[i].dtype != GC_NONE;
  const bool m = read[0], v = read[1], s = read[2];
  return loop([=](void *const *b) {
    const float one = 1;
    if (m) decay(f32(b, 5), fraction, f32(b, 0), 1, f32(b, 3), c);
    if (v) decay(f32(b, 6), fraction, f32(b, 1), unbias, f32(b, 4), c);
    if (s) decay(f32(b, 7), fraction, f32(b, 2), 1, &one, 1);
  });
}

gc_kernel *moving_stats(const gc_io &io) {
  const int64_t c = count(io.in[0]);
  const bool read[] = {io.out[0].dtype != GC_NONE, io.out[1].dtype != GC_NONE};
  return loop([=, mean = read[0], var = read[1]](void *const *b) {
    const float s = *f32(b, 2), factor = s == 0 ? 0 : 1 / s;
    for (int64_t i = 0; i < c; i++) {
      if (mean) f32(b, 3)[i] = f32(b, 0)[i] * factor;
      if (var) f32(b, 4)[i] = f32(b, 1)[i] * factor;
    }
  });
}

}  // namespace

extern "C" gc_kernel *gc_prepare_batch_norm(float eps, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return batch_norm(eps, io); });
}

extern "C" gc_kernel *gc_prepare_batch_norm_grad(float eps, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return batch_norm_grad(eps, io); });
}

extern "C" gc_kernel *gc_prepare_normalize(float eps, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return normalize(eps, 1, 2, io); });
}

extern "C" gc_kernel *gc_prepare_normalize_grad(float eps, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return normalize(eps, -1, 1, io); });
}

extern "C" gc_kernel *gc_prepare_moving_stats(gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return moving_stats(io); });
}

extern "C" gc_kernel *gc_prepare_moving_update(float fraction, int64_t count, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return moving_update(fraction, count, io); });
}

#endif
