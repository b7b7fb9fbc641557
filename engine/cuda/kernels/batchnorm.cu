#include "dev.h"
#include "map.h"

// BatchNormGradArgs: sums holds the means of dy over the channels, then those of
// dy times the normalised x.
struct BatchNormGradArgs {
  u64 dy, x, mean, var, sums, y;
  Div inner, channels;
  u32 n;
  float eps;
};

template <class T> DEV void batchnorm_grad(const BatchNormGradArgs &a) {
  map<T, 2>(a.y, {a.dy, a.x}, a.n, [&](const float(&v)[2], u32 i) {
    u32 c = remainder(quotient(i, a.inner), a.channels);
    float factor = 1 / sqrt32(((const float *)a.var)[c] + a.eps);
    float y = (v[1] - ((const float *)a.mean)[c]) * factor;
    const float *sums = (const float *)a.sums;
    return (v[0] - sums[c] - sums[a.channels.d + c] * y) * factor;
  });
}
BOTH(THREADS, batchnorm_grad, BatchNormGradArgs, batchnorm_grad)

// MovingArgs: an output may be 0, and may be the input of its place.
struct MovingArgs {
  u64 m, v, s, mean, var, m_out, v_out, s_out;
  u32 n;
  float fraction, unbias;
};

DEV void moving_stats(const MovingArgs &a) {
  float s = *(const float *)a.s, factor = s != 0 ? 1 / s : s;
  for (u32 i = first(); i < a.n; i += step()) {
    if (a.m_out) ((float *)a.m_out)[i] = ((const float *)a.m)[i] * factor;
    if (a.v_out) ((float *)a.v_out)[i] = ((const float *)a.v)[i] * factor;
  }
}
THREADS(moving_stats, MovingArgs, moving_stats)

DEV void moving_update(const MovingArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    if (a.m_out) ((float *)a.m_out)[i] = a.fraction * ((const float *)a.m)[i] + ((const float *)a.mean)[i];
    if (a.v_out) ((float *)a.v_out)[i] = a.fraction * ((const float *)a.v)[i] + a.unbias * ((const float *)a.var)[i];
  }
  if (first() == 0 && a.s_out) *(float *)a.s_out = a.fraction * *(const float *)a.s + 1;
}
THREADS(moving_update, MovingArgs, moving_update)
