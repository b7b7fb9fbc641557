#include "dev.h"
#include "map.h"

// LRNArgs: dy and dx are the gradient's, y the forward's; alpha is divided by size.
struct LRNArgs {
  u64 dy, x, y, dx;
  Div inner, channels;
  u32 n;
  i32 size;
  float alpha, beta, k;
};

// shrink is scale^−beta.
DEV float shrink(const LRNArgs &a, float scale) {
  if (a.beta == 0.75f && scale > 0) {
    float root = sqrt32(scale);
    return 1 / (root * sqrt32(root));
  }
  return pow32(scale, -a.beta);
}

// each_around calls f for the elements of the size channels around element i, the
// first of which is before channels ahead.
template <class F> DEV void each_around(const LRNArgs &a, u32 i, i32 before, F f) {
  i32 c = (i32)remainder(quotient(i, a.inner), a.channels);
  i32 from = most(c - before, 0), to = least(c - before + a.size, (i32)a.channels.d);
  for (i32 j = from; j < to; j++) f((u32)((i32)i + (j - c) * (i32)a.inner.d));
}

// scale is that of element i.
template <class T> DEV float scale(const LRNArgs &a, u32 i) {
  float squares = 0;
  each_around(a, i, (a.size - 1) / 2, [&](u32 j) {
    float x = value(((const T *)a.x)[j]);
    squares += x * x;
  });
  return a.k + a.alpha * squares;
}

template <class T> DEV void lrn(const LRNArgs &a) {
  for (u32 i = first(); i < a.n; i += step())
    put((T *)a.y + i, value(((const T *)a.x)[i]) * shrink(a, scale<T>(a, i)));
}
BOTH(THREADS, lrn, LRNArgs, lrn)

template <class T> DEV void lrn_grad(const LRNArgs &a) {
  const T *dy = (const T *)a.dy, *x = (const T *)a.x;
  for (u32 i = first(); i < a.n; i += step()) {
    float all = 0; // over the channels whose windows hold this one
    each_around(a, i, a.size / 2, [&](u32 j) {
      float s = scale<T>(a, j);
      all += value(dy[j]) * value(x[j]) * shrink(a, s) / s;
    });
    put((T *)a.dx + i, value(dy[i]) * shrink(a, scale<T>(a, i)) - 2 * a.alpha * a.beta * value(x[i]) * all);
  }
}
BOTH(THREADS, lrn_grad, LRNArgs, lrn_grad)
