#include "dev.h"
#include "row.h"
#include "label.h"

// MarginArgs: dy is for the gradient, whose y is dproduct; norm_grad is its other
// output. Either may be 0 there.
struct MarginArgs {
  u64 dy, product, norm, lambda, y, norm_grad;
  Labels labels;
  Div classes;
  u32 n;
  i32 times;
};

DEV float sign_of(float x) { return (x > 0 ? 1.0f : 0.0f) - (x < 0 ? 1.0f : 0.0f); }

// Curve is ψ at a cosine, and what the gradient of |x|·ψ is along the weights and,
// times −1/|x|, along x.
struct Curve {
  float psi, along_w, along_x;
};

DEV Curve curve_of(i32 times, float c) {
  float square = c * c, s = sign_of(c);
  if (times == 2) return Curve{2 * s * square - 1, 4 * s * c, 2 * s * square + 1};
  if (times == 3) {
    float s1 = sign_of(abs32(c) - 0.5f), s2 = s * (1 + s1) - 2;
    return Curve{s1 * (4 * square * c - 3 * c) + s2, s1 * (12 * square - 3), 8 * s1 * square * c - s2};
  }
  float s3 = s * sign_of(2 * square - 1), s4 = 2 * s + s3 - 3, fourth = square * square;
  return Curve{s3 * (8 * fourth - 8 * square + 1) + s4, s3 * (32 * square * c - 16 * c),
               s3 * (24 * fourth - 8 * square - 1) - s4};
}

// cosine is product/norm; the angle to nothing is a right one.
DEV float cosine(float product, float norm) { return norm == 0 ? 0 : product / norm; }

DEV void margin(const MarginArgs &a) {
  float lambda = *(const float *)a.lambda;
  for (u32 i = first(); i < a.n; i += step()) {
    u32 row = quotient(i, a.classes);
    float product = ((const float *)a.product)[i], norm = ((const float *)a.norm)[row], y = product;
    if (class_of(a.labels, row) == (i32)(i - row * a.classes.d))
      y = (norm * curve_of(a.times, cosine(product, norm)).psi + lambda * product) / (1 + lambda);
    ((float *)a.y)[i] = y;
  }
}
THREADS(margin, MarginArgs, margin)

// margin_grad: the thread of the labelled class writes its row's norm_grad.
DEV void margin_grad(const MarginArgs &a) {
  float lambda = *(const float *)a.lambda;
  for (u32 i = first(); i < a.n; i += step()) {
    u32 row = quotient(i, a.classes);
    i32 c = (i32)(i - row * a.classes.d), label = class_of(a.labels, row);
    float dy = ((const float *)a.dy)[i];
    if (c != (label < 0 ? 0 : label)) {
      if (a.y) ((float *)a.y)[i] = dy;
      continue;
    }
    float norm = ((const float *)a.norm)[row], w = 0, x = 0;
    if (norm != 0) {
      Curve v = curve_of(a.times, cosine(((const float *)a.product)[i], norm));
      x = v.along_x / norm;
      float length = sqrt32(v.along_w * v.along_w + x * x);
      w = length > 0 ? v.along_w / length : v.along_w;
      x = length > 0 ? -x / length : v.along_x;
    }
    if (a.y) ((float *)a.y)[i] = label < 0 ? dy : dy * (w + lambda) / (1 + lambda);
    if (a.norm_grad) ((float *)a.norm_grad)[row] = label < 0 ? 0 : dy * x / (1 + lambda);
  }
}
THREADS(margin_grad, MarginArgs, margin_grad)
