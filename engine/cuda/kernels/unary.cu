#include "dev.h"
#include "map.h"

// UnaryArgs: x is dy for a gradient, whose r is x or y as the op says.
struct UnaryArgs {
  u64 x, r, y;
  u32 n, fn;
  float a, b, c;
  u32 reads_output;
};

// Function numbers are engine.UnaryFn's.
enum { RELU, SIGMOID, TANH, ABS, POWER, EXP, LOG, CLIP, ELU, BNLL, SWISH, THRESHOLD };

DEV float power(float x, float a) { return a == 1 ? x : a == 2 ? x * x : pow32(x, a); }

template <class T> DEV void relu(const UnaryArgs &a) {
  map<T, 1>(a.y, {a.x}, a.n, [&](const float(&v)[1], u32) { return larger(v[0], 0) + a.a * smaller(v[0], 0); });
}
BOTH(THREADS, relu, UnaryArgs, relu)

template <class T> DEV void relu_grad(const UnaryArgs &a) {
  map<T, 2>(a.y, {a.x, a.r}, a.n, [&](const float(&v)[2], u32) { return v[0] * (v[1] > 0 ? 1.0f : v[1] <= 0 ? a.a : 0); });
}
BOTH(THREADS, relu_grad, UnaryArgs, relu_grad)

DEV float apply(const UnaryArgs &a, float x) {
  switch (a.fn) {
  case SIGMOID: return sigmoid(x);
  case TANH: return tanh32(x);
  case ABS: return abs32(x);
  case POWER: return power(a.c + a.b * x, a.a);
  case EXP: return a.b * exp32(a.a * x);
  case LOG: return a.a * log32(a.c + a.b * x);
  case CLIP: return smaller(larger(x, a.a), a.b);
  case ELU: return larger(x, 0) + a.a * expm1_32(smaller(x, 0));
  case BNLL: return larger(x, 0) + log1p_32(exp32(-abs32(x)));
  case SWISH: return x * sigmoid(a.a * x);
  }
  return x > a.a ? 1.0f : 0.0f; // THRESHOLD
}

template <class T> DEV void unary(const UnaryArgs &a) {
  map_each<T, 1>(a.y, {a.x}, 0, a.n, [&](const float(&v)[1], u32) { return apply(a, v[0]); });
}
BOTH(THREADS, unary, UnaryArgs, unary)

// slope is the derivative as a function of r.
DEV float slope(const UnaryArgs &a, float r) {
  switch (a.fn) {
  case SIGMOID: return r * (1 - r);
  case TANH: return 1 - r * r;
  case ABS: return (r > 0 ? 1.0f : 0.0f) - (r < 0 ? 1.0f : 0.0f);
  case POWER:
    if (a.a == 1 || a.a * a.b == 0) return a.a * a.b;
    return a.a * a.b * power(a.c + a.b * r, a.a - 1);
  case EXP: return a.a * r;
  case LOG: return a.a * a.b / (a.c + a.b * r);
  case CLIP: return r >= a.a && r <= a.b ? 1.0f : 0.0f;
  case ELU: return r > 0 ? 1.0f : a.reads_output ? r + a.a : a.a * exp32(r);
  case BNLL: return sigmoid(smaller(r, 50));
  }
  float s = sigmoid(a.a * r); // SWISH
  return s + a.a * r * s * (1 - s);
}

template <class T> DEV void unary_grad(const UnaryArgs &a) {
  map_each<T, 2>(a.y, {a.x, a.r}, 0, a.n, [&](const float(&v)[2], u32) { return v[0] * slope(a, v[1]); });
}
BOTH(THREADS, unary_grad, UnaryArgs, unary_grad)

struct FillArgs {
  u64 y;
  u32 n;
  u32 bits;
};

// fill32 writes one word everywhere.
DEV void fill32(const FillArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) ((u32 *)a.y)[i] = a.bits;
}
THREADS(fill, FillArgs, fill32)
