#include "dev.h"

// SigmoidLossArgs: batch is the divisor, 0 for the number of targets that count.
struct SigmoidLossArgs {
  u64 x, target, dloss, scale, y;
  u32 n, has_ignore;
  i32 ignore;
  float divisor;
};

DEV bool counts(const SigmoidLossArgs &a, u32 i) {
  return !a.has_ignore || trunc32(((const float *)a.target)[i]) != (float)a.ignore;
}

DEV void sigmoid_loss(const SigmoidLossArgs &a) {
  Two s = sum_two<Block>(a.n, [&](u32 i) {
    if (!counts(a, i)) return Two{0, 0};
    float x = ((const float *)a.x)[i];
    return Two{larger(x, 0) - x * ((const float *)a.target)[i] + log1p_32(exp32(-abs32(x))), 1};
  });
  Block::each(1, [&](u32) { *(float *)a.y = s.a / (a.divisor ? a.divisor : s.b < 1 ? 1 : s.b); });
}
BLOCKS(sigmoid_loss_f32, SigmoidLossArgs, sigmoid_loss)

DEV void sigmoid_loss_scale(const SigmoidLossArgs &a) {
  float valid = sum<Block>(a.n, [&](u32 i) { return counts(a, i) ? 1.0f : 0.0f; });
  Block::each(1, [&](u32) {
    *(float *)a.scale = *(const float *)a.dloss / (a.divisor ? a.divisor : valid < 1 ? 1 : valid);
  });
}
BLOCKS(sigmoid_loss_scale, SigmoidLossArgs, sigmoid_loss_scale)

DEV void sigmoid_loss_grad(const SigmoidLossArgs &a) {
  float scale = *(const float *)a.scale;
  for (u32 i = first(); i < a.n; i += step()) {
    float d = (sigmoid(((const float *)a.x)[i]) - ((const float *)a.target)[i]) * scale;
    ((float *)a.y)[i] = counts(a, i) ? d : 0;
  }
}
THREADS(sigmoid_loss_grad_f32, SigmoidLossArgs, sigmoid_loss_grad)
