#include "dev.h"
#include "map.h"

// BatchNormScaleArgs: y = act((x − mean)·scale/√(var + eps) + bias + add); bias and
// add may be 0.
struct BatchNormScaleArgs {
  u64 x, mean, var, scale, bias, add, y;
  Div inner, channels;
  u32 n, relu;
  float eps, slope;
};

template <class T, int K> DEV void batchnorm_scale_of(const BatchNormScaleArgs &a) {
  u64 x[2] = {a.x, a.add};
  u64 in[K];
#pragma unroll
  for (int k = 0; k < K; k++) in[k] = x[k];
  map<T, K>(a.y, in, a.n, [&](const float(&v)[K], u32 i) {
    u32 c = remainder(quotient(i, a.inner), a.channels);
    float factor = ((const float *)a.scale)[c] / sqrt32(((const float *)a.var)[c] + a.eps);
    float y = (v[0] - ((const float *)a.mean)[c]) * factor;
    if (a.bias) y += ((const float *)a.bias)[c];
    if (K > 1) y += v[K - 1];
    return a.relu ? larger(y, 0) + a.slope * smaller(y, 0) : y;
  });
}

template <class T> DEV void batchnorm_scale(const BatchNormScaleArgs &a) {
  if (a.add) return batchnorm_scale_of<T, 2>(a);
  batchnorm_scale_of<T, 1>(a);
}
BOTH(THREADS, batchnorm_scale, BatchNormScaleArgs, batchnorm_scale)

// BatchNormGradArgs: sums holds the sums of d over the channels, then those of d
// times the normalised x; d is dy, times slope where act, if given, is not
// positive. scale may be 0, for ones; share is one element's part of a channel.
struct BatchNormGradArgs {
  u64 dy, x, mean, var, sums, scale, act, y;
  Div inner, channels;
  u32 n;
  float eps, share, slope;
};

template <class T, int K> DEV void batchnorm_grad_of(const BatchNormGradArgs &a) {
  u64 x[3] = {a.dy, a.x, a.act};
  u64 in[K];
#pragma unroll
  for (int k = 0; k < K; k++) in[k] = x[k];
  map<T, K>(a.y, in, a.n, [&](const float(&v)[K], u32 i) {
    u32 c = remainder(quotient(i, a.inner), a.channels);
    float factor = 1 / sqrt32(((const float *)a.var)[c] + a.eps);
    float y = (v[1] - ((const float *)a.mean)[c]) * factor;
    if (a.scale) factor *= ((const float *)a.scale)[c];
    const float *sums = (const float *)a.sums;
    float d = K > 2 && !(v[K - 1] > 0) ? v[0] * a.slope : v[0];
    return (d - a.share * sums[c] - a.share * sums[a.channels.d + c] * y) * factor;
  });
}

template <class T> DEV void batchnorm_grad(const BatchNormGradArgs &a) {
  if (a.act) return batchnorm_grad_of<T, 3>(a);
  batchnorm_grad_of<T, 2>(a);
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
