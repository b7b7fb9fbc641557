#include "dev.h"

// UpdateArgs: one solver step of n weights. g holds the step afterwards if
// keep_step says so.
struct UpdateArgs {
  u64 w, g, h, h2, hyper;
  u32 n, rule;
  float rate, decay, momentum, momentum2, rms_decay, delta;
  u32 l1, keep_step;
};

// Rules and hyper's entries are numbered as in engine/update.go.
enum { SGD, NESTEROV, ADAGRAD, RMSPROP, ADADELTA, ADAM };
enum { RATE, SCALE, CORRECTION, CLIP_SCALE };

DEV float regularized(const UpdateArgs &a, float w, float g) {
  const float *hyper = (const float *)a.hyper;
  g = g * hyper[CLIP_SCALE] * hyper[SCALE];
  if (!a.l1) return g + a.decay * w;
  return w > 0 ? g + a.decay : w < 0 ? g - a.decay : g;
}

// step_of gives the step and moves the histories on. Each operation rounds, in
// Caffe's order.
DEV float step_of(const UpdateArgs &a, float rate, float correction, float g, float *h, float *h2) {
  switch (a.rule) {
  case NESTEROV: {
    float next = a.momentum * *h + rate * g, s = (1 + a.momentum) * next - a.momentum * *h;
    *h = next;
    return s;
  }
  case ADAGRAD:
    *h += g * g;
    return rate * (g / (sqrt32(*h) + a.delta));
  case RMSPROP:
    *h = a.rms_decay * *h + (1 - a.rms_decay) * (g * g);
    return rate * (g / (sqrt32(*h) + a.delta));
  case ADADELTA: {
    *h = a.momentum * *h + (1 - a.momentum) * (g * g);
    float v = g * sqrt32((*h2 + a.delta) / (*h + a.delta));
    *h2 = a.momentum * *h2 + (1 - a.momentum) * (v * v);
    return rate * v;
  }
  case ADAM:
    *h = a.momentum * *h + (1 - a.momentum) * g;
    *h2 = a.momentum2 * *h2 + (1 - a.momentum2) * (g * g);
    return rate * correction * (*h / (sqrt32(*h2) + a.delta));
  }
  *h = a.momentum * *h + rate * g;
  return *h;
}

template <class G> DEV void update(const UpdateArgs &a) {
  const float *hyper = (const float *)a.hyper;
  float rate = hyper[RATE] * a.rate, *w = (float *)a.w, *h = (float *)a.h, *h2 = (float *)a.h2;
  G *g = (G *)a.g;
  for (u32 i = first(); i < a.n; i += step()) {
    float one = h[i], two = h2 ? h2[i] : 0;
    float s = step_of(a, rate, hyper[CORRECTION], regularized(a, w[i], value(g[i])), &one, &two);
    w[i] -= s;
    h[i] = one;
    if (h2) h2[i] = two;
    if (a.keep_step) put(g + i, s);
  }
}
THREADS(update_f32, UpdateArgs, update<float>)
THREADS(update_bf16, UpdateArgs, update<bf16>)
