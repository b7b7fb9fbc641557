#include "dev.h"

// UnpoolArgs: planes of from cells and of to cells; winner holds for each of the
// latter the element of x that stays, −1 where there is none.
struct UnpoolArgs {
  u64 x, mask, winner, y, flag;
  Div from, to;
  u32 n;
};

// spot is where in its plane element i belongs, −1 for nowhere.
DEV i32 spot(const UnpoolArgs &a, u32 i) {
  float v = ((const float *)a.mask)[i];
  i32 at = truncated(v, -2);
  if (at >= -1 && at < (i32)a.to.d) return at;
  fail(a.flag, i, v);
  return -1;
}

// unpool_choose: of elements with one place the last stays. winner begins as −1.
DEV void unpool_choose(const UnpoolArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    i32 at = spot(a, i);
    if (at >= 0) atomic_max((i32 *)a.winner + quotient(i, a.from) * a.to.d + at, (i32)i);
  }
}
THREADS(unpool_choose, UnpoolArgs, unpool_choose)

DEV void unpool(const UnpoolArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    i32 from = ((const i32 *)a.winner)[i];
    ((float *)a.y)[i] = from < 0 ? 0 : ((const float *)a.x)[from];
  }
}
THREADS(unpool, UnpoolArgs, unpool)

// unpool_grad: x is dy.
DEV void unpool_grad(const UnpoolArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    i32 at = spot(a, i);
    ((float *)a.y)[i] = at < 0 ? 0 : ((const float *)a.x)[quotient(i, a.from) * a.to.d + (u32)at];
  }
}
THREADS(unpool_grad, UnpoolArgs, unpool_grad)
