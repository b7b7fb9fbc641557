#include "dev.h"
#include "row.h"
#include "label.h"

// SoftmaxArgs: y may be x; dy is for the gradient, whose x is y.
struct SoftmaxArgs {
  u64 dy, x, y;
  Axes z;
};

template <class R, class T> DEV void softmax(const SoftmaxArgs &a) {
  const T *x = (const T *)a.x;
  T *y = (T *)a.y;
  u32 gap = a.z.inner.d;
  for (u32 i = R::first(); i < a.z.rows; i += R::step()) {
    u32 at = place_of(a.z, i);
    float top = maximum<R>(a.z.along, [&](u32 c) { return value(x[at + c * gap]); });
    float all = sum<R>(a.z.along, [&](u32 c) { return exp32(value(x[at + c * gap]) - top); });
    R::each(a.z.along, [&](u32 c) { put(y + at + c * gap, exp32(value(x[at + c * gap]) - top) / all); });
  }
}
ROWS(softmax, SoftmaxArgs, softmax)

template <class R, class T> DEV void softmax_grad(const SoftmaxArgs &a) {
  const T *dy = (const T *)a.dy, *x = (const T *)a.x;
  T *y = (T *)a.y;
  u32 gap = a.z.inner.d;
  for (u32 i = R::first(); i < a.z.rows; i += R::step()) {
    u32 at = place_of(a.z, i);
    float dot = sum<R>(a.z.along, [&](u32 c) { return value(dy[at + c * gap]) * value(x[at + c * gap]); });
    R::each(a.z.along, [&](u32 c) {
      u32 j = at + c * gap;
      put(y + j, value(x[j]) * (value(dy[j]) - dot));
    });
  }
}
ROWS(softmax_grad, SoftmaxArgs, softmax_grad)

// LossArgs: gain is infogain's H, divisor what the loss is divided by, 0 for the
// number of labels that count. For a gradient, y is dx and scale the memory
// where loss_scale leaves dloss/divisor.
struct LossArgs {
  u64 prob, gain, dloss, scale, y;
  Labels labels;
  Axes z;
  float divisor;
};

DEV float divisor_of(const LossArgs &a, float valid) { return a.divisor ? a.divisor : valid < 1 ? 1 : valid; }

// softmax_loss is one block: −ln of each label's probability, summed.
template <class T> DEV void softmax_loss(const LossArgs &a) {
  const T *prob = (const T *)a.prob;
  Two s = sum_two<Block>(a.z.rows, [&](u32 i) {
    i32 c = class_of(a.labels, i);
    if (c < 0) return Two{0, 0};
    return Two{-log32(larger(value(prob[place_of(a.z, i) + (u32)c * a.z.inner.d]), LEAST)), 1};
  });
  Block::each(1, [&](u32) { *(float *)a.y = s.a / divisor_of(a, s.b); });
}
BLOCKS(softmax_loss_f32, LossArgs, softmax_loss<float>)
BLOCKS(softmax_loss_bf16, LossArgs, softmax_loss<bf16>)

// softmax_loss_each is what softmax_loss sums up.
DEV void softmax_loss_each(const LossArgs &a) {
  for (u32 i = first(); i < a.z.rows; i += step()) {
    i32 c = class_of(a.labels, i);
    float p = c < 0 ? 1 : ((const float *)a.prob)[place_of(a.z, i) + (u32)c * a.z.inner.d];
    ((float *)a.y)[i] = c < 0 ? 0 : -log32(larger(p, LEAST));
  }
}
THREADS(softmax_loss_each_f32, LossArgs, softmax_loss_each)

// loss_scale is one block: what the gradient of a loss is multiplied by.
DEV void loss_scale(const LossArgs &a) {
  float valid = sum<Block>(a.z.rows, [&](u32 i) { return class_of(a.labels, i) < 0 ? 0.0f : 1.0f; });
  Block::each(1, [&](u32) { *(float *)a.scale = *(const float *)a.dloss / divisor_of(a, valid); });
}
BLOCKS(loss_scale, LossArgs, loss_scale)

template <class R, class T> DEV void softmax_loss_grad(const LossArgs &a) {
  const T *prob = (const T *)a.prob;
  T *y = (T *)a.y;
  float scale = *(const float *)a.scale;
  u32 gap = a.z.inner.d;
  for (u32 i = R::first(); i < a.z.rows; i += R::step()) {
    u32 at = place_of(a.z, i);
    i32 label = class_of(a.labels, i);
    R::each(a.z.along, [&](u32 c) {
      u32 j = at + c * gap;
      put(y + j, label < 0 ? 0 : (value(prob[j]) - ((i32)c == label ? 1.0f : 0.0f)) * scale);
    });
  }
}
ROWS(softmax_loss_grad, LossArgs, softmax_loss_grad)

// infogain_loss is one block, a thread a label.
template <class T> DEV void infogain_loss(const LossArgs &a) {
  const T *prob = (const T *)a.prob;
  Two s = sum_two<Block>(a.z.rows, [&](u32 i) {
    i32 c = class_of(a.labels, i);
    if (c < 0) return Two{0, 0};
    const float *gain = (const float *)a.gain + (u32)c * a.z.along;
    u32 at = place_of(a.z, i);
    float loss = 0;
    for (u32 k = 0; k < a.z.along; k++) loss -= gain[k] * log32(larger(value(prob[at + k * a.z.inner.d]), 1e-20f));
    return Two{loss, 1};
  });
  Block::each(1, [&](u32) { *(float *)a.y = s.a / divisor_of(a, s.b); });
}
BLOCKS(infogain_loss_f32, LossArgs, infogain_loss<float>)

template <class R, class T> DEV void infogain_loss_grad(const LossArgs &a) {
  const T *prob = (const T *)a.prob;
  T *y = (T *)a.y;
  float scale = *(const float *)a.scale;
  for (u32 i = R::first(); i < a.z.rows; i += R::step()) {
    u32 at = place_of(a.z, i);
    i32 label = class_of(a.labels, i);
    const float *gain = (const float *)a.gain + (u32)(label < 0 ? 0 : label) * a.z.along;
    float all = sum<R>(a.z.along, [&](u32 c) { return gain[c]; });
    R::each(a.z.along, [&](u32 c) {
      u32 j = at + c * a.z.inner.d;
      put(y + j, label < 0 ? 0 : (value(prob[j]) * all - gain[c]) * scale);
    });
  }
}
ROWS_F32(infogain_loss_grad, LossArgs, infogain_loss_grad)
