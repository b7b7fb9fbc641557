#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <algorithm>

#define LOOPS "sigmoid_loss_loops.inc"
#include "isa.hpp"

namespace {

// Loss is a SigmoidLoss over n elements.
struct Loss {
  Loss(const gc_loss &l, const gc_io &io)
      : has(l.has_ignore), norm(l.norm), ignore(static_cast<float>(l.ignore)), n(count(io.in[0])), batch(io.in[0].rank ? io.in[0].dim[0] : 1) {
    plain(io.in[0]);
    plain(io.in[1]);
  }
  enum Norm { Full, Valid, BatchSize, None };  // engine.Normalization
  bool has;
  int norm;
  float ignore;
  int64_t n, batch;

  double divisor(double valid) const {
    const double d = norm == Full ? n : norm == Valid ? valid : norm == BatchSize ? batch : 1;
    return std::max(d, 1.0);
  }
};

}  // namespace

extern "C" gc_kernel *gc_prepare_sigmoid_loss(const gc_loss *l, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const Loss s(*l, io);
    const auto f = PICK(sigmoid_loss);
    const int64_t piece = 4096, pieces = (s.n + piece - 1) / piece;
    return loop([=](void *const *b) {
      std::vector<double> part(2 * pieces, 0.0);
      split_items(pieces, s.n, [&](int64_t i) {
        const int64_t at = i * piece;
        f(f32(b, 0) + at, f32(b, 1) + at, std::min(piece, s.n - at), s.has, s.ignore, &part[2 * i], &part[2 * i + 1]);
      });
      double loss = 0, valid = 0;
      for (int64_t i = 0; i < pieces; i++) loss += part[2 * i], valid += part[2 * i + 1];
      *f32(b, 2) = static_cast<float>(loss / s.divisor(valid));
    });
  });
}

extern "C" gc_kernel *gc_prepare_sigmoid_loss_grad(const gc_loss *l, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const Loss s(*l, io);
    plain(io.out[0]);
    const auto valid = PICK(count_valid);
    const auto f = PICK(sigmoid_loss_grad);
    return loop([=](void *const *b) {
      const float *x = f32(b, 0), *t = f32(b, 1);
      const float factor = static_cast<float>(*f32(b, 2) / s.divisor(valid(t, s.n, s.has, s.ignore)));
      split(s.n, [&](int64_t i, int64_t to) { f(x + i, t + i, f32(b, 3) + i, to - i, s.has, s.ignore, factor); });
    });
  });
}

#endif
