#include "dev.h"
#include "row.h"

// L2NormArgs: dy is for the gradient; y or norm may be 0.
struct L2NormArgs {
  u64 dy, x, norm, y;
  Axes z;
  float eps;
};

template <class R, class T> DEV void l2norm(const L2NormArgs &a) {
  const T *x = (const T *)a.x;
  for (u32 i = R::first(); i < a.z.rows; i += R::step()) {
    u32 at = place_of(a.z, i), gap = a.z.inner.d;
    float squares = sum<R>(a.z.along, [&](u32 c) {
      float v = value(x[at + c * gap]);
      return v * v;
    });
    float norm = sqrt32(squares + a.eps);
    if (a.norm) R::each(1, [&](u32) { ((float *)a.norm)[i] = norm; });
    if (a.y) R::each(a.z.along, [&](u32 c) { put((T *)a.y + at + c * gap, value(x[at + c * gap]) / norm); });
  }
}
ROWS_F32(l2norm, L2NormArgs, l2norm)

template <class R, class T> DEV void l2norm_grad(const L2NormArgs &a) {
  const T *x = (const T *)a.x, *dy = (const T *)a.dy;
  for (u32 i = R::first(); i < a.z.rows; i += R::step()) {
    u32 at = place_of(a.z, i), gap = a.z.inner.d;
    float dot = sum<R>(a.z.along, [&](u32 c) { return value(x[at + c * gap]) * value(dy[at + c * gap]); });
    float norm = ((const float *)a.norm)[i], share = dot / (norm * norm);
    R::each(a.z.along, [&](u32 c) {
      u32 j = at + c * gap;
      put((T *)a.y + j, (value(dy[j]) - value(x[j]) * share) / norm);
    });
  }
}
ROWS_F32(l2norm_grad, L2NormArgs, l2norm_grad)
