#include "bf16.hpp"
#include "channelwise.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <cmath>

#define LOOPS "batchnorm_scale_loops.inc"
#include "isa.hpp"

namespace {

// Norm runs an op in two passes over a tensor: sums a channel, then a map of each
// element. A thread does both for a group of channels before it turns to the next, as
// then the second pass finds them in a cache; where there are too few groups for that,
// all threads share each pass. Either way the sums are those of the same parts, added
// up in the same order.
struct Norm {
  Norm(const Channels &v, int threads, int floats) : s(v), parts(std::min<int64_t>(s.v.n, 16)), floats(floats) {
    by_group = s.groups % threads == 0 || s.groups >= 4 * threads;
  }

  // The workspace: floats values a channel, 0 for padding, then for each part two
  // doubles a channel.
  int64_t bytes() const { return (floats * s.padded() * 4 + 63) / 64 * 64 + parts * 2 * s.padded() * 8; }
  float *coefficients(void *ws, int i) const { return static_cast<float *>(ws) + i * s.padded(); }
  double *partial(void *ws, int64_t part, int i) const {
    char *at = static_cast<char *>(ws) + (floats * s.padded() * 4 + 63) / 64 * 64;
    return reinterpret_cast<double *>(at) + (part * 2 + i) * s.padded();
  }

  // run calls sum(part, item, offset, first channel) for all spans, done(channel) when
  // a channel's sums are there, and map(offset, first channel) for all spans.
  template <class Sum, class Done, class Map>
  void run(Sum sum, Done done, Map map) const {
    const auto part = [&](int64_t p, int64_t g) {
      for (int64_t n = s.v.n * p / parts; n < s.v.n * (p + 1) / parts; n++) sum(p, n, (n * s.groups + g) * s.size(), g * s.lanes);
    };
    const auto finish = [&](int64_t g) {
      for (int64_t c = g * s.lanes; c < std::min((g + 1) * s.lanes, s.v.c); c++) done(c);
    };
    if (by_group) {
      split_items(s.groups, s.total(), [&](int64_t g) {
        for (int64_t p = 0; p < parts; p++) part(p, g);
        finish(g);
        for (int64_t n = 0; n < s.v.n; n++) map((n * s.groups + g) * s.size(), g * s.lanes);
      });
      return;
    }
    split_items(parts * s.groups, s.total(), [&](int64_t i) { part(i / s.groups, i % s.groups); });
    for (int64_t g = 0; g < s.groups; g++) finish(g);
    s.each(map);
  }

  Spans s;
  int64_t parts;
  int floats;
  bool by_group;
};

float inverse(float var, float eps) { return 1.f / std::sqrt(var + eps); }

gc_kernel *forward(float eps, const gc_epilogue &e, const gc_io &io) {
  const Norm z(channels(io.in[0]), io.threads, 3);
  const bool y = io.out[0].dtype != GC_NONE, mean = io.out[1].dtype != GC_NONE, var = io.out[2].dtype != GC_NONE;
  if (y) alike(io.in[0], io.out[0]);
  const Walk w(io);
  const int bias = e.bias ? 2 : -1, add = e.add ? 2 + e.bias : -1, out = io.n_in;
  if (e.add) alike(io.in[0], io.in[add]);
  const float slope = e.relu ? e.slope : 1.f;
  const auto gather = PICK(moments);
  const auto apply = PICK(scale_shift);
  gc_kernel *k = loop([=](void *const *b) {
    void *ws = b[out + 3];
    memset(ws, 0, z.bytes());
    float *m = z.coefficients(ws, 0), *a = z.coefficients(ws, 1), *shift = z.coefficients(ws, 2);
    const int64_t parts = z.parts, items = z.s.v.n, per_item = z.s.s;
    z.run(
        [&](int64_t p, int64_t item, int64_t at, int64_t c) {
          double count = static_cast<double>((item - items * p / parts) * per_item);
          w.read(b, at, z.s.s, z.s.lanes, [&](float *const *q, int64_t s) {
            gather(q[0], s, z.s.lanes, &count, z.partial(ws, p, 0) + c, z.partial(ws, p, 1) + c);
          });
        },
        [&](int64_t c) {
          double count = 0, mu = 0, m2 = 0;
          for (int64_t p = 0; p < parts; p++) {
            const double n = static_cast<double>((items * (p + 1) / parts - items * p / parts) * per_item);
            const double delta = z.partial(ws, p, 0)[c] - mu;
            m2 += z.partial(ws, p, 1)[c] + delta * delta * (count * n / (count + n));
            mu += delta * (n / (count + n));
            count += n;
          }
          const float v = static_cast<float>(m2 / count);
          m[c] = static_cast<float>(mu);
          a[c] = inverse(v, eps) * f32(b, 1)[c];
          shift[c] = bias < 0 ? 0.f : f32(b, bias)[c];
          if (mean) f32(b, out + 1)[c] = m[c];
          if (var) f32(b, out + 2)[c] = v;
        },
        [&](int64_t at, int64_t c) {
          if (!y) return;
          w.each(b, at, z.s.s, z.s.lanes, [&](float *const *q, int64_t s) {
            apply(q[0], add < 0 ? nullptr : q[add], q[out], s, z.s.lanes, m + c, a + c, shift + c, slope);
          });
        });
  });
  k->workspace = z.bytes();
  return k;
}

// With t the sums over a channel, i = 1/√(var+eps) and f the scale:
// dx = f·i·d − f·i·t(d)/n − f·i³·t(d·(x−mean))/n·(x−mean).
gc_kernel *backward(float eps, bool relu, float slope, const gc_io &io) {
  const Norm z(channels(io.in[0]), io.threads, 4);
  alike(io.in[0], io.in[1]);
  if (relu) alike(io.in[0], io.in[5]);
  const Walk w(io);
  const int out = io.n_in;
  const bool dx = io.out[0].dtype != GC_NONE, dscale = io.out[1].dtype != GC_NONE, dshift = io.out[2].dtype != GC_NONE;
  if (dx) alike(io.in[0], io.out[0]);
  const float n = static_cast<float>(z.s.v.n * z.s.v.s);
  const auto sums = PICK(grad_sums);
  const auto apply = PICK(grad_apply);
  gc_kernel *k = loop([=](void *const *b) {
    void *ws = b[out + 3];
    memset(ws, 0, z.bytes());
    float *m = z.coefficients(ws, 0), *f = z.coefficients(ws, 1), *g = z.coefficients(ws, 2), *h = z.coefficients(ws, 3);
    std::copy(f32(b, 2), f32(b, 2) + z.s.v.c, m);
    z.run(
        [&](int64_t p, int64_t, int64_t at, int64_t c) {
          w.read(b, at, z.s.s, z.s.lanes, [&](float *const *q, int64_t s) {
            sums(q[0], q[1], relu ? q[5] : nullptr, m + c, slope, s, z.s.lanes, z.partial(ws, p, 0) + c, z.partial(ws, p, 1) + c);
          });
        },
        [&](int64_t c) {
          double sum = 0, dot = 0;
          for (int64_t p = 0; p < z.parts; p++) {
            sum += z.partial(ws, p, 0)[c];
            dot += z.partial(ws, p, 1)[c];
          }
          const float i = inverse(f32(b, 3)[c], eps);
          f[c] = i * f32(b, 4)[c];
          g[c] = -f[c] * i * i * static_cast<float>(dot) / n;
          h[c] = -f[c] * static_cast<float>(sum) / n;
          if (dscale) f32(b, out + 1)[c] = i * static_cast<float>(dot);
          if (dshift) f32(b, out + 2)[c] = static_cast<float>(sum);
        },
        [&](int64_t at, int64_t c) {
          if (!dx) return;
          w.each(b, at, z.s.s, z.s.lanes, [&](float *const *q, int64_t s) {
            apply(q[0], q[1], relu ? q[5] : nullptr, q[out], s, z.s.lanes, m + c, f + c, g + c, h + c, slope);
          });
        });
  });
  k->workspace = z.bytes();
  return k;
}

}  // namespace

extern "C" gc_kernel *gc_prepare_batch_norm_scale(float eps, const gc_epilogue *e, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return forward(eps, *e, io); });
}

extern "C" gc_kernel *gc_prepare_batch_norm_scale_grad(float eps, int relu, float slope, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return backward(eps, relu != 0, slope, io); });
}

#endif
