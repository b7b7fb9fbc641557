#include "bf16.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#define LOOPS "unary_loops.inc"
#include "isa.hpp"

namespace {

enum Fn { ReLU, Sigmoid, TanH, Abs, Power, Exp, Log, Clip, ELU, BNLL, Swish, Threshold };  // engine.UnaryFn

using Function = void (*)(const float *, float *, int64_t, float, float, float);
using Gradient = void (*)(const float *, const float *, float *, int64_t, float, float, float);

Function function(int fn, float a) {
  switch (fn) {
    case ReLU: return PICK(relu);
    case Sigmoid: return PICK(sigmoid);
    case TanH: return PICK(tanh_);
    case Abs: return PICK(abs_);
    case Power: return a == 1 ? PICK(linear) : a == 2 ? PICK(square) : PICK(power);
    case Exp: return PICK(exp_);
    case Log: return PICK(log_);
    case Clip: return PICK(clip);
    case ELU: return PICK(elu);
    case BNLL: return PICK(bnll);
    case Swish: return PICK(swish);
    case Threshold: return PICK(threshold);
  }
  throw Unsupported("a function that this engine does not know");
}

Gradient gradient(int fn, bool reads_output, float a, float b) {
  switch (fn) {
    case ReLU: return PICK(relu_grad);
    case Sigmoid: return PICK(sigmoid_grad);
    case TanH: return PICK(tanh_grad);
    case Abs: return PICK(abs_grad);
    case Power: return a == 1 || b == 0 ? PICK(linear_grad) : a == 2 ? PICK(square_grad) : PICK(power_grad);
    case Exp: return PICK(exp_grad);
    case Log: return PICK(log_grad);
    case Clip: return PICK(clip_grad);
    case ELU: return reads_output ? PICK(elu_grad_y) : PICK(elu_grad_x);
    case BNLL: return PICK(bnll_grad);
    case Swish: return PICK(swish_grad);
  }
  throw Unsupported("a function without a gradient");
}

// with_tail runs f over all memory, then restores the padding's zeros where f does
// not map 0 to 0.
template <class F>
gc_kernel *with_tail(const gc_io &io, float at_zero, F f) {
  const gc_desc &y = io.out[0];
  for (int i = 0; i < io.n_in; i++) alike(io.in[i], y);
  const int64_t n = elements(y);
  const Walk w(io);
  const auto all = [=](void *const *b) { split(n, [&](int64_t i, int64_t to) { w.each(b, i, to - i, 1, f); }); };
  if (at_zero == 0 || !has_tail(y)) return loop(all);
  const Channels v = channels(y);
  const int out = io.n_in;
  const bool narrow = y.dtype == GC_BF16;
  return loop([=](void *const *b) {
    all(b);
    zero_tail(b[out], v, narrow);
  });
}

}  // namespace

extern "C" gc_kernel *gc_prepare_unary(int fn, float a, float b, float c, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const Function f = function(fn, a);
    float zero = 0;
    f(&zero, &zero, 1, a, b, c);
    return with_tail(io, zero, [=](float *const *p, int64_t n) { f(p[0], p[1], n, a, b, c); });
  });
}

extern "C" gc_kernel *gc_prepare_unary_grad(int fn, int reads_output, float a, float b, float c, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const Gradient f = gradient(fn, reads_output, a, b);
    float zero = 0;
    f(&zero, &zero, &zero, 1, a, b, c);
    return with_tail(io, zero, [=](float *const *p, int64_t n) { f(p[0], p[1], p[2], n, a, b, c); });
  });
}

#endif
