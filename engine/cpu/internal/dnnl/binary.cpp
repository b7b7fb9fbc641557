#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <algorithm>

#define LOOPS "binary_loops.inc"
#include "isa.hpp"

namespace {

enum Fn { Mul, Max };  // engine.BinaryFn

// Sum adds up piece by piece, so that a piece of y stays in the cache.
struct Sum {
  std::vector<float> coeff;
  bool relu;
  float slope;
  static constexpr int64_t piece = 2048;

  void run(void *const *b, int64_t from, int64_t to) const {
    const int n = static_cast<int>(coeff.size());
    const auto first = PICK(sum_first);
    const auto next = PICK(sum_next);
    const auto two = PICK(sum_two);
    const auto act = PICK(rectify);
    for (int64_t i = from; i < to; i += piece) {
      const int64_t m = std::min(piece, to - i);
      float *y = f32(b, n) + i;
      n == 1 ? first(f32(b, 0) + i, y, m, coeff[0]) : two(f32(b, 0) + i, f32(b, 1) + i, y, m, coeff[0], coeff[1]);
      for (int k = 2; k < n; k++) next(f32(b, k) + i, y, m, coeff[k]);
      if (relu) act(y, m, slope);
    }
  }
};

}  // namespace

extern "C" gc_kernel *gc_prepare_binary(int fn, int tie_second, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    same_layout(io.in[0], io.out[0]);
    same_layout(io.in[1], io.out[0]);
    const int64_t n = elements(io.out[0]);
    const auto f = fn == Mul ? PICK(mul) : tie_second ? PICK(max_second) : PICK(max_first);
    return loop([=](void *const *b) { split(n, [&](int64_t i, int64_t to) { f(f32(b, 0) + i, f32(b, 1) + i, f32(b, 2) + i, to - i); }); });
  });
}

extern "C" gc_kernel *gc_prepare_max_grad(int tie_second, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const bool first = io.out[0].dtype != GC_NONE, second = io.out[1].dtype != GC_NONE;
    for (int i = 0; i < 3; i++) same_layout(io.in[0], io.in[i]);
    for (int i = 0; i < 2; i++)
      if (io.out[i].dtype != GC_NONE) same_layout(io.in[0], io.out[i]);
    const int64_t n = elements(io.in[0]);
    const auto f = PICK(route);
    return loop([=](void *const *b) {
      split(n, [&](int64_t i, int64_t to) {
        const float *dy = f32(b, 0) + i, *x = f32(b, 1) + i, *z = f32(b, 2) + i;
        if (first) f(dy, x, z, f32(b, 3) + i, to - i, tie_second, false);
        if (second) f(dy, x, z, f32(b, 4) + i, to - i, tie_second, true);
      });
    });
  });
}

extern "C" gc_kernel *gc_prepare_sum(const float *coeff, int relu, float slope, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    for (int i = 0; i < io.n_in; i++) same_layout(io.in[i], io.out[0]);
    Sum s{std::vector<float>(io.n_in, 1.f), relu != 0, slope};
    if (coeff != nullptr) s.coeff.assign(coeff, coeff + io.n_in);
    const int64_t n = elements(io.out[0]);
    return loop([=](void *const *b) { split(n, [&](int64_t i, int64_t to) { s.run(b, i, to); }); });
  });
}

#endif
