#include "dev.h"
#include "map.h"

struct SmoothL1Args {
  u64 dy, x, y;
  u32 n;
  float square; // σ²
};

DEV void smooth_l1(const SmoothL1Args &a) {
  map<float, 1>(a.y, {a.x}, a.n, [&](const float(&v)[1], u32) {
    float m = abs32(v[0]);
    return m < 1 / a.square ? 0.5f * a.square * m * m : m - 0.5f / a.square;
  });
}
THREADS(smooth_l1_f32, SmoothL1Args, smooth_l1)

DEV void smooth_l1_grad(const SmoothL1Args &a) {
  map<float, 2>(a.y, {a.dy, a.x}, a.n,
            [&](const float(&v)[2], u32) { return v[0] * smaller(larger(a.square * v[1], -1), 1); });
}
THREADS(smooth_l1_grad_f32, SmoothL1Args, smooth_l1_grad)
