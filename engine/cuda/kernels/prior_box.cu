#include "dev.h"

#define BOXES 64

// PriorBoxArgs: sizes are width and height of a cell's boxes, in pixels.
struct PriorBoxArgs {
  u64 y;
  Div columns, boxes;
  u32 n; // boxes of all cells
  u32 clip;
  float image_h, image_w, step_h, step_w, offset;
  float variance[4];
  float size[BOXES][2];
};

DEV void prior_box(const PriorBoxArgs &a) {
  float *y = (float *)a.y;
  for (u32 i = first(); i < a.n; i += step()) {
    u32 cell = quotient(i, a.boxes), row = quotient(cell, a.columns);
    const float *size = a.size[i - cell * a.boxes.d];
    float cy = ((float)row + a.offset) * a.step_h, cx = ((float)(cell - row * a.columns.d) + a.offset) * a.step_w;
    float corner[4] = {(cx - size[0] / 2) / a.image_w, (cy - size[1] / 2) / a.image_h,
                       (cx + size[0] / 2) / a.image_w, (cy + size[1] / 2) / a.image_h};
#pragma unroll
    for (u32 k = 0; k < 4; k++) {
      y[4 * i + k] = a.clip ? smaller(larger(corner[k], 0), 1) : corner[k];
      y[4 * (a.n + i) + k] = a.variance[k];
    }
  }
}
THREADS(prior_box, PriorBoxArgs, prior_box)
