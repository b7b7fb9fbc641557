#include "channelwise.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#define LOOPS "channelwise_loops.inc"
#include "isa.hpp"

namespace {

enum Fn { Sum, ASum, SumSq };  // engine.ReduceFn

constexpr int64_t piece = 1 << 14;

// Rows are what is folded: one run of memory each. A fold of everything takes any
// layout, because padding is 0.
struct Rows {
  Rows(const gc_desc &x, int axis) : n(count(x, 0, axis)), size(count(x, axis)) {
    if (axis == 0) size = elements(x);
    else plain(x);
    pieces = (size + piece - 1) / piece;
  }
  int64_t n, size, pieces;
};

gc_kernel *fold(int fn, float coeff, const Rows &r) {
  const auto f = fn == Sum ? PICK(sum_plain) : fn == ASum ? PICK(sum_absolute) : PICK(sum_square);
  return loop([=](void *const *b) {
    const float *x = f32(b, 0);
    std::vector<double> part(r.n * r.pieces, 0.0);
    split_items(r.n * r.pieces, r.n * r.size, [&](int64_t i) {
      const int64_t at = i % r.pieces * piece;
      f(x + i / r.pieces * r.size + at, nullptr, nullptr, std::min(piece, r.size - at), 1, &part[i]);
    });
    for (int64_t i = 0; i < r.n; i++) {
      double sum = 0;
      for (int64_t k = 0; k < r.pieces; k++) sum += part[i * r.pieces + k];
      f32(b, 1)[i] = static_cast<float>(coeff * sum);
    }
  });
}

gc_kernel *fold_grad(int fn, float coeff, const Rows &r, const gc_desc &x) {
  const auto f = fn == Sum ? PICK(fold_grad_sum) : fn == ASum ? PICK(fold_grad_asum) : PICK(fold_grad_sumsq);
  const bool tail = fn == Sum && has_tail(x);
  const Channels v = tail ? channels(x) : Channels{0, 1, 0, 1};
  return loop([=](void *const *b) {
    split_items(r.n * r.pieces, r.n * r.size, [&](int64_t i) {
      const int64_t at = i % r.pieces * piece, from = i / r.pieces * r.size + at;
      f(f32(b, 1) + from, f32(b, 2) + from, std::min(piece, r.size - at), coeff * f32(b, 0)[i / r.pieces]);
    });
    zero_tail(f32(b, 2), v);
  });
}

}  // namespace

extern "C" gc_kernel *gc_prepare_reduce(int fn, int axis, float coeff, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    plain(io.out[0]);
    return fold(fn, coeff, Rows(io.in[0], axis));
  });
}

extern "C" gc_kernel *gc_prepare_reduce_grad(int fn, int axis, float coeff, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    plain(io.in[0]);
    same_layout(io.in[1], io.out[0]);
    return fold_grad(fn, coeff, Rows(io.in[1], axis), io.in[1]);
  });
}

#endif
