#include "dev.h"

// InterpArgs: in and out are the planes that Interp reads and writes; its gradient
// goes the other way. ratio is (in − 1)/(out − 1), 0 for one output.
struct InterpArgs {
  u64 x, y;
  Div in_h, in_w, out_h, out_w;
  u32 n;
  float ratio_h, ratio_w;
};

// Mix is the two positions of an axis that an output is mixed of.
struct Mix {
  i32 at, next;
  float weight; // of next
};

DEV Mix mix_of(u32 o, float ratio, u32 in) {
  float place = ratio * (float)o;
  i32 at = least((i32)place, (i32)in - 1);
  return Mix{at, least(at + 1, (i32)in - 1), place - (float)at};
}

DEV void interp(const InterpArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 row = quotient(i, a.out_w), plane = quotient(row, a.out_h), w = a.in_w.d;
    Mix r = mix_of(row - plane * a.out_h.d, a.ratio_h, a.in_h.d);
    Mix c = mix_of(i - row * a.out_w.d, a.ratio_w, w);
    const float *x = (const float *)a.x + plane * a.in_h.d * w, *up = x + r.at * w, *down = x + r.next * w;
    float top = up[c.at] + c.weight * (up[c.next] - up[c.at]);
    float bottom = down[c.at] + c.weight * (down[c.next] - down[c.at]);
    ((float *)a.y)[i] = top + r.weight * (bottom - top);
  }
}
THREADS(interp, InterpArgs, interp)

// outputs that position p may be mixed into: one more at each end than by exact
// arithmetic.
DEV void reach(u32 p, float ratio, u32 out, i32 *from, i32 *to) {
  *from = 0, *to = (i32)out;
  if (ratio <= 0) return;
  *from = most((i32)(((float)p - 1) / ratio) - 1, 0);
  *to = least((i32)(((float)p + 1) / ratio) + 2, (i32)out);
}

// part is how much of an output is position p.
DEV float part_of(const Mix &m, u32 p) {
  return (m.at == (i32)p ? 1 - m.weight : 0) + (m.next == (i32)p ? m.weight : 0);
}

DEV void interp_grad(const InterpArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 row = quotient(i, a.in_w), plane = quotient(row, a.in_h);
    u32 h = row - plane * a.in_h.d, w = i - row * a.in_w.d;
    i32 top, bottom, left, right;
    reach(h, a.ratio_h, a.out_h.d, &top, &bottom);
    reach(w, a.ratio_w, a.out_w.d, &left, &right);
    const float *dy = (const float *)a.x + plane * a.out_h.d * a.out_w.d;
    float all = 0;
    for (i32 r = top; r < bottom; r++) {
      float share = part_of(mix_of((u32)r, a.ratio_h, a.in_h.d), h);
      if (share == 0) continue;
      for (i32 c = left; c < right; c++)
        all += dy[(u32)r * a.out_w.d + (u32)c] * share * part_of(mix_of((u32)c, a.ratio_w, a.in_w.d), w);
    }
    ((float *)a.y)[i] = all;
  }
}
THREADS(interp_grad, InterpArgs, interp_grad)
