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

DEV float regularized(const float *hyper, bool l1, float decay, float w, float g) {
  g = g * hyper[CLIP_SCALE] * hyper[SCALE];
  if (!l1) return g + decay * w;
  return w > 0 ? g + decay : w < 0 ? g - decay : g;
}

// step_of gives the step and moves the histories on. Each operation rounds, in
// Caffe's order.
template <class A> DEV float step_of(const A &a, float rate, float correction, float g, float *h, float *h2) {
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
    float s = step_of(a, rate, hyper[CORRECTION], regularized(hyper, a.l1, a.decay, w[i], value(g[i])), &one, &two);
    w[i] -= s;
    h[i] = one;
    if (h2) h2[i] = two;
    if (a.keep_step) put(g + i, s);
  }
}
THREADS(update_f32, UpdateArgs, update<float>)
THREADS(update_bf16, UpdateArgs, update<bf16>)

// Segment is one param of UpdateAllArgs: n weights, chunks first … of the launch.
struct Segment {
  u64 w, g, h, h2;
  u32 n, first;
  float rate, decay;
};

// UpdateAllArgs: one solver step of count params.
struct UpdateAllArgs {
  u64 hyper;
  u32 count, chunks, rule, l1, keep_step;
  float momentum, momentum2, rms_decay, delta;
  u32 unused;
  Segment segments[80];
};

// CHUNK is how many weights a block takes at once.
enum { CHUNK = 4096 };

// segment_of finds the param that a chunk is of: the last that begins at it or before.
DEV u32 segment_of(const UpdateAllArgs &a, u32 chunk) {
  u32 low = 0, high = a.count;
  while (high - low > 1) {
    u32 middle = (low + high) / 2;
    if (a.segments[middle].first <= chunk)
      low = middle;
    else
      high = middle;
  }
  return low;
}

DEV void update_all(const UpdateAllArgs &a) {
  const float *hyper = (const float *)a.hyper;
  for (u32 chunk = block_index(); chunk < a.chunks; chunk += block_count()) {
    const Segment &s = a.segments[segment_of(a, chunk)];
    float rate = hyper[RATE] * s.rate, *w = (float *)s.w, *g = (float *)s.g, *h = (float *)s.h, *h2 = (float *)s.h2;
    u32 from = (chunk - s.first) * CHUNK, to = s.n - from < CHUNK ? s.n : from + CHUNK;
    for (u32 i = from + tid(); i < to; i += block_size()) {
      float one = h[i], two = h2 ? h2[i] : 0;
      float by = step_of(a, rate, hyper[CORRECTION], regularized(hyper, a.l1, s.decay, w[i], g[i]), &one, &two);
      w[i] -= by;
      h[i] = one;
      if (h2) h2[i] = two;
      if (a.keep_step) g[i] = by;
    }
  }
}
THREADS(update_all, UpdateAllArgs, update_all)
