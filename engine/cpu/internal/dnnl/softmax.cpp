#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <cfloat>
#include <cmath>

#define GC_TILE 64
#define LOOPS "softmax_loops.inc"
#include "isa.hpp"

namespace {

// Rows is a tensor seen as outer × classes × inner.
struct Rows {
  Rows(const gc_desc &x, int axis) : outer(count(x, 0, axis)), classes(x.dim[axis]), inner(count(x, axis + 1)) { plain(x); }
  int64_t outer, classes, inner;
  int64_t size() const { return outer * classes * inner; }
  int64_t positions() const { return outer * inner; }

  // each runs f(offset, width) on tiles of side-by-side positions.
  template <class F>
  void each(F f) const {
    const int64_t tiles = (inner + GC_TILE - 1) / GC_TILE;
    split_items(outer * tiles, size(), [&](int64_t i) {
      const int64_t at = i % tiles * GC_TILE, left = inner - at;
      f(i / tiles * classes * inner + at, left < GC_TILE ? left : GC_TILE);
    });
  }
};

void softmax(const Rows &r, const float *x, float *y) {
  const auto row = PICK(softmax_row);
  const auto tile = PICK(softmax_tile);
  r.each([&](int64_t at, int64_t width) {
    r.inner == 1 ? row(x + at, y + at, r.classes) : tile(x + at, y + at, r.classes, r.inner, width);
  });
}

// Loss is what SoftmaxLoss and its gradient have in common: which labels count, and
// by what the sum is divided.
struct Loss {
  enum Norm { Full, Valid, BatchSize, None };  // engine.Normalization
  gc_loss l;
  Rows r;

  // check reads label i: the class, or -1 where it is ignored.
  int64_t check(const float *label, int64_t i) const {
    const float v = label[i];
    const bool integral = v > -2147483648.f && v < 2147483648.f;
    const int32_t c = integral ? static_cast<int32_t>(v) : -1;
    if (integral && l.has_ignore && c == l.ignore) return -1;
    if (!integral || c < 0 || c >= r.classes) throw LabelFault{v, i, r.classes};
    return c;
  }

  double divisor(int64_t valid) const {
    double n = 1;
    if (l.norm == Full) n = static_cast<double>(r.positions());
    if (l.norm == Valid) n = static_cast<double>(valid);
    if (l.norm == BatchSize) n = static_cast<double>(r.outer);
    return n < 1 ? 1 : n;
  }

  int64_t at(int64_t i, int64_t c) const { return (i / r.inner * r.classes + c) * r.inner + i % r.inner; }
};

void softmax_loss(const Loss &s, const float *x, const float *label, float *loss, float *prob) {
  softmax(s.r, x, prob);
  double sum = 0;
  int64_t valid = 0;
  for (int64_t i = 0; i < s.r.positions(); i++) {
    const int64_t c = s.check(label, i);
    if (c < 0) continue;
    valid++;
    const float p = prob[s.at(i, c)];
    sum -= std::log(p < FLT_MIN ? FLT_MIN : p);  // a NaN stays one
  }
  if (loss != nullptr) *loss = static_cast<float>(sum / s.divisor(valid));
}

void softmax_loss_grad(const Loss &s, const float *prob, const float *label, float dloss, float *dx) {
  int64_t valid = 0;
  for (int64_t i = 0; i < s.r.positions(); i++) valid += s.check(label, i) >= 0;
  const float factor = static_cast<float>(dloss / s.divisor(valid));
  const auto scale = PICK(scale_to);
  split(s.r.size(), [&](int64_t i, int64_t to) { scale(prob + i, dx + i, to - i, factor); });
  for (int64_t i = 0; i < s.r.positions(); i++) {
    const int64_t c = s.check(label, i);
    if (c >= 0) {
      dx[s.at(i, c)] -= factor;
      continue;
    }
    for (int64_t k = 0; k < s.r.classes; k++) dx[s.at(i, k)] = 0;
  }
}

}  // namespace

extern "C" gc_kernel *gc_prepare_softmax(int axis, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const Rows r(io.in[0], axis);
    plain(io.out[0]);
    return loop([=](void *const *b) { softmax(r, f32(b, 0), f32(b, 1)); });
  });
}

extern "C" gc_kernel *gc_prepare_softmax_grad(int axis, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const Rows r(io.in[0], axis);
    plain(io.in[1]);
    plain(io.out[0]);
    const auto row = PICK(softmax_grad_row);
    const auto tile = PICK(softmax_grad_tile);
    return loop([=](void *const *b) {
      const float *dy = f32(b, 0), *y = f32(b, 1);
      float *dx = f32(b, 2);
      r.each([&](int64_t at, int64_t width) {
        r.inner == 1 ? row(dy + at, y + at, dx + at, r.classes) : tile(dy + at, y + at, dx + at, r.classes, r.inner, width);
      });
    });
  });
}

extern "C" gc_kernel *gc_prepare_softmax_loss(const gc_loss *l, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const Loss s{*l, Rows(io.in[0], l->axis)};
    plain(io.in[1]);
    const bool loss = io.out[0].dtype != GC_NONE, prob = io.out[1].dtype != GC_NONE;
    gc_kernel *k = loop([=](void *const *b) {
      softmax_loss(s, f32(b, 0), f32(b, 1), loss ? f32(b, 2) : nullptr, prob ? f32(b, 3) : f32(b, 4));
    });
    if (!prob) k->workspace = s.r.size() * 4;
    return k;
  });
}

extern "C" gc_kernel *gc_prepare_softmax_loss_grad(const gc_loss *l, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const Loss s{*l, Rows(io.in[0], l->axis)};
    plain(io.in[1]);
    plain(io.out[0]);
    return loop([=](void *const *b) { softmax_loss_grad(s, f32(b, 0), f32(b, 1), *f32(b, 2), f32(b, 3)); });
  });
}

#endif
