#include "dev.h"
#include "map.h"

// BinaryArgs: a gradient writes y and z where they are not 0.
struct BinaryArgs {
  u64 dy, a, b, y, z;
  u32 n, tie_second;
};

template <class T> DEV void mul(const BinaryArgs &a) {
  map<T, 2>(a.y, {a.a, a.b}, a.n, [](const float(&v)[2], u32) { return v[0] * v[1]; });
}
BOTH(THREADS, mul, BinaryArgs, mul)

// second_wins reports whether b is the larger one.
DEV bool second_wins(const BinaryArgs &a, float x, float y) { return a.tie_second ? !(x > y) : y > x; }

template <class T> DEV void max(const BinaryArgs &a) {
  map<T, 2>(a.y, {a.a, a.b}, a.n, [&](const float(&v)[2], u32) { return second_wins(a, v[0], v[1]) ? v[1] : v[0]; });
}
BOTH(THREADS, max, BinaryArgs, max)

template <class T> DEV void max_grad(const BinaryArgs &a) {
  if (a.y)
    map<T, 3>(a.y, {a.dy, a.a, a.b}, a.n,
              [&](const float(&v)[3], u32) { return second_wins(a, v[1], v[2]) ? 0.0f : v[0]; });
  if (a.z)
    map<T, 3>(a.z, {a.dy, a.a, a.b}, a.n,
              [&](const float(&v)[3], u32) { return second_wins(a, v[1], v[2]) ? v[0] : 0.0f; });
}
BOTH(THREADS, max_grad, BinaryArgs, max_grad)

#define TERMS 4

// SumArgs: a longer sum goes on from y, as one of the terms.
struct SumArgs {
  u64 x[TERMS], y;
  float coeff[TERMS];
  u32 n, terms, relu;
  float slope;
};

template <class T, int K> DEV void sum_of(const SumArgs &a) {
  u64 x[K];
#pragma unroll
  for (int k = 0; k < K; k++) x[k] = a.x[k];
  map<T, K>(a.y, x, a.n, [&](const float(&v)[K], u32) {
    float s = 0;
#pragma unroll
    for (int k = 0; k < K; k++) s += a.coeff[k] * v[k];
    return a.relu ? larger(s, 0) + a.slope * smaller(s, 0) : s;
  });
}

template <class T> DEV void sum_terms(const SumArgs &a) {
  switch (a.terms) {
  case 1: return sum_of<T, 1>(a);
  case 2: return sum_of<T, 2>(a);
  case 3: return sum_of<T, 3>(a);
  }
  sum_of<T, 4>(a);
}
BOTH(THREADS, sum, SumArgs, sum_terms)

// ChannelArgs is an elementwise op with a value a channel, which is
// (i / inner) mod channels.
struct ChannelArgs {
  u64 dy, x, s, t, y;
  Div inner, channels;
  u32 n;
  float eps;
};

DEV u32 channel(const ChannelArgs &a, u32 i) { return remainder(quotient(i, a.inner), a.channels); }

template <class T> DEV void broadcast_mul(const ChannelArgs &a) {
  map<T, 1>(a.y, {a.x}, a.n, [&](const float(&v)[1], u32 i) { return v[0] * ((const float *)a.s)[channel(a, i)]; });
}
BOTH(THREADS, broadcast_mul, ChannelArgs, broadcast_mul)

template <class T> DEV void broadcast_add(const ChannelArgs &a) {
  map<T, 1>(a.y, {a.x}, a.n, [&](const float(&v)[1], u32 i) { return v[0] + ((const float *)a.s)[channel(a, i)]; });
}
BOTH(THREADS, broadcast_add, ChannelArgs, broadcast_add)

// prelu: s are the slopes.
template <class T> DEV void prelu(const ChannelArgs &a) {
  map<T, 1>(a.y, {a.x}, a.n, [&](const float(&v)[1], u32 i) {
    return larger(v[0], 0) + ((const float *)a.s)[channel(a, i)] * smaller(v[0], 0);
  });
}
BOTH(THREADS, prelu, ChannelArgs, prelu)

template <class T> DEV void prelu_grad(const ChannelArgs &a) {
  map<T, 2>(a.y, {a.dy, a.x}, a.n, [&](const float(&v)[2], u32 i) {
    return v[1] > 0 ? v[0] : v[0] * ((const float *)a.s)[channel(a, i)];
  });
}
BOTH(THREADS, prelu_grad, ChannelArgs, prelu_grad)

// normalize: s is the mean, 0 where there is none, t the variance.
template <class T> DEV void normalize(const ChannelArgs &a) {
  map<T, 1>(a.y, {a.x}, a.n, [&](const float(&v)[1], u32 i) {
    u32 c = channel(a, i);
    float mean = a.s ? ((const float *)a.s)[c] : 0;
    return (v[0] - mean) * (1 / sqrt32(((const float *)a.t)[c] + a.eps));
  });
}
BOTH(THREADS, normalize, ChannelArgs, normalize)
