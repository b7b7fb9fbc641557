#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

// Step is what a rule needs to know in one step.
struct Step {
  float rate, scale, decay, momentum, momentum2, rms_decay, delta, correction;
  bool l1, keep;
};

#define LOOPS "update_loops.inc"
#include "isa.hpp"

namespace {

enum Rule { SGD, Nesterov, AdaGrad, RMSProp, AdaDelta, Adam };  // engine.UpdateRule

using Function = void (*)(float *, float *, float *, float *, int64_t, const Step *);

Function function(int rule) {
  switch (rule) {
    case SGD: return PICK(sgd);
    case Nesterov: return PICK(nesterov);
    case AdaGrad: return PICK(adagrad);
    case RMSProp: return PICK(rmsprop);
    case AdaDelta: return PICK(adadelta);
    case Adam: return PICK(adam);
  }
  throw Unsupported("an update rule that this engine does not know");
}

Step step(const gc_update &u, const float *hyper) {
  Step s{};
  s.rate = hyper[u.hyper_rate] * u.rate;
  s.scale = hyper[u.hyper_scale] * hyper[u.hyper_clip];
  s.correction = hyper[u.hyper_correction];
  s.decay = u.decay;
  s.momentum = u.momentum;
  s.momentum2 = u.momentum2;
  s.rms_decay = u.rms_decay;
  s.delta = u.delta;
  s.l1 = u.l1;
  s.keep = u.keep_step;
  return s;
}

}  // namespace

extern "C" gc_kernel *gc_prepare_update(const gc_update *update, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    const gc_update u = *update;
    const Function f = function(u.rule);
    const int histories = io.n_in - 3, hyper = io.n_in - 1;
    for (int i = 0; i < hyper; i++) same_layout(io.in[0], io.in[i]);
    const int64_t n = elements(io.in[0]);
    return loop([=](void *const *b) {
      const Step s = step(u, f32(b, hyper));
      float *w = f32(b, 0), *g = f32(b, 1), *h = f32(b, 2), *h2 = histories > 1 ? f32(b, 3) : nullptr;
      split(n, [&](int64_t i, int64_t to) { f(w + i, g + i, h + i, h2 ? h2 + i : nullptr, to - i, &s); });
    });
  });
}

#endif
