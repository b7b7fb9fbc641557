#include "bf16.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <algorithm>

#define LOOPS "binary_loops.inc"
#include "isa.hpp"

namespace {

enum Fn { Mul, Max };  // engine.BinaryFn

// Sum adds up piece by piece, so that a piece of y stays in the cache.
struct Sum {
  std::vector<float> coeff;
  std::vector<bool> narrow;  // of the inputs, then of y
  bool relu;
  float slope;
  static constexpr int64_t piece = 2048;

  // at is where piece i of m elements of tensor k is as float32, converted to room if need be.
  const float *at(void *const *b, int k, int64_t i, int64_t m, float *room) const {
    if (!narrow[k]) return f32(b, k) + i;
    widen(static_cast<const uint16_t *>(b[k]) + i, room, m);
    return room;
  }

  void run(void *const *b, int64_t from, int64_t to) const {
    const int n = static_cast<int>(coeff.size());
    const auto first = PICK(sum_first);
    const auto next = PICK(sum_next);
    const auto two = PICK(sum_two);
    const auto act = PICK(rectify);
    alignas(64) float room[3][piece];
    for (int64_t i = from; i < to; i += piece) {
      const int64_t m = std::min(piece, to - i);
      float *y = narrow[n] ? room[0] : f32(b, n) + i;
      const float *x = at(b, 0, i, m, room[1]);
      n == 1 ? first(x, y, m, coeff[0]) : two(x, at(b, 1, i, m, room[2]), y, m, coeff[0], coeff[1]);
      for (int k = 2; k < n; k++) next(at(b, k, i, m, room[1]), y, m, coeff[k]);
      if (relu) act(y, m, slope);
      if (narrow[n]) round_to(y, static_cast<uint16_t *>(b[n]) + i, m);
    }
  }
};

}  // namespace

extern "C" gc_kernel *gc_prepare_binary(int fn, int tie_second, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    alike(io.in[0], io.out[0]);
    alike(io.in[1], io.out[0]);
    const int64_t n = elements(io.out[0]);
    const Walk w(io);
    const auto f = fn == Mul ? PICK(mul) : tie_second ? PICK(max_second) : PICK(max_first);
    return loop([=](void *const *b) {
      split(n, [&](int64_t i, int64_t to) { w.each(b, i, to - i, 1, [&](float *const *p, int64_t m) { f(p[0], p[1], p[2], m); }); });
    });
  });
}

extern "C" gc_kernel *gc_prepare_max_grad(int tie_second, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const bool first = io.out[0].dtype != GC_NONE, second = io.out[1].dtype != GC_NONE;
    for (int i = 0; i < 3; i++) alike(io.in[0], io.in[i]);
    for (int i = 0; i < 2; i++)
      if (io.out[i].dtype != GC_NONE) alike(io.in[0], io.out[i]);
    const int64_t n = elements(io.in[0]);
    const Walk w(io);
    const auto f = PICK(route);
    return loop([=](void *const *b) {
      split(n, [&](int64_t i, int64_t to) {
        w.each(b, i, to - i, 1, [&](float *const *p, int64_t m) {
          if (first) f(p[0], p[1], p[2], p[3], m, tie_second, false);
          if (second) f(p[0], p[1], p[2], p[4], m, tie_second, true);
        });
      });
    });
  });
}

extern "C" gc_kernel *gc_prepare_sum(const float *coeff, int relu, float slope, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    Sum s{std::vector<float>(io.n_in, 1.f), {}, relu != 0, slope};
    for (int i = 0; i < io.n_in; i++) {
      alike(io.in[i], io.out[0]);
      s.narrow.push_back(io.in[i].dtype == GC_BF16);
    }
    s.narrow.push_back(io.out[0].dtype == GC_BF16);
    if (coeff != nullptr) s.coeff.assign(coeff, coeff + io.n_in);
    const int64_t n = elements(io.out[0]);
    return loop([=](void *const *b) { split(n, [&](int64_t i, int64_t to) { s.run(b, i, to); }); });
  });
}

#endif
