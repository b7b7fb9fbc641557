#include "dev.h"
#include "map.h"

// What a fold adds up of an element; the host uses the same numbers.
enum {
  SUM,           // a
  ASUM,          // |a|
  SUM_SQUARES,   // a²
  DOT,           // a·b
  VARIANCE,      // (a − mean)²
  BATCHNORM_DOT, // a, and a·(b − mean)/√(var + eps)
  PRELU_DOT      // a·b where b ≤ 0
};

// FoldArgs folds a tensor of outer × mid × inner elements to mid values, or to
// mid values twice for BATCHNORM_DOT. The elements of one value are cut into
// splits; with more than one the parts are folded by fold_finish.
struct FoldArgs {
  u64 a, b, mean, var, act, y;
  Div inner, mid, splits;
  u32 size; // outer·inner, the elements of one value
  u32 part; // of which a split has as many
  u32 fn;
  float coeff, eps;
  float slope; // a is multiplied by it where act, if given, is not positive
};

template <class T> DEV Two term(const FoldArgs &a, u32 c, u32 i) {
  float v = value(((const T *)a.a)[i]);
  if (a.act && !(value(((const T *)a.act)[i]) > 0)) v *= a.slope;
  switch (a.fn) {
  case ASUM: return Two{abs32(v), 0};
  case SUM_SQUARES: return Two{v * v, 0};
  case DOT: return Two{v * value(((const T *)a.b)[i]), 0};
  case VARIANCE: {
    float d = v - ((const float *)a.mean)[c];
    return Two{d * d, 0};
  }
  case BATCHNORM_DOT: {
    float d = value(((const T *)a.b)[i]) - ((const float *)a.mean)[c];
    return Two{v, v * d * (1 / sqrt32(((const float *)a.var)[c] + a.eps))};
  }
  case PRELU_DOT: {
    float x = value(((const T *)a.b)[i]);
    return Two{x > 0 ? 0 : v * x, 0};
  }
  }
  return Two{v, 0};
}

// write stores the fold of value c's split s.
DEV void write(const FoldArgs &a, u32 c, u32 s, Two v) {
  u32 values = a.fn == BATCHNORM_DOT ? 2 : 1;
  float *y = (float *)a.y + s * values * a.mid.d;
  y[c] = a.coeff * v.a;
  if (values == 2) y[a.mid.d + c] = a.coeff * v.b;
}

// fold_rows: a block folds one value's split.
template <class T> DEV void fold_rows(const FoldArgs &a) {
  for (u32 k = block_index(); k < a.mid.d * a.splits.d; k += block_count()) {
    u32 c = quotient(k, a.splits), s = remainder(k, a.splits), from = s * a.part;
    u32 n = from < a.size ? a.size - from : 0;
    Two v = sum_two<Block>(n < a.part ? n : a.part, [&](u32 e) {
      u32 o = quotient(from + e, a.inner), r = remainder(from + e, a.inner);
      return term<T>(a, c, (o * a.mid.d + c) * a.inner.d + r);
    });
    Block::each(1, [&](u32) { write(a, c, s, v); });
  }
}
BOTH(BLOCKS, fold_rows, FoldArgs, fold_rows)

// fold_columns, where inner is 1: a block folds a split of 32 values that lie
// side by side, 8 elements of each at a time.
template <class T> DEV void fold_columns(const FoldArgs &a) {
  Two *part = own_memory<Two, 256>();
  u32 tiles = (a.mid.d + 31) / 32;
  for (u32 k = block_index(); k < tiles * a.splits.d; k += block_count()) {
    u32 tile = quotient(k, a.splits), s = remainder(k, a.splits), from = s * a.part;
    u32 end = from + a.part < a.size ? from + a.part : a.size;
    Block::each(256, [&](u32 t) {
      u32 c = tile * 32 + t % 32;
      Two v = {0, 0};
      for (u32 o = from + t / 32; c < a.mid.d && o < end; o += 8) {
        Two w = term<T>(a, c, o * a.mid.d + c);
        v.a += w.a, v.b += w.b;
      }
      part[t] = v;
    });
    Block::each(32, [&](u32 t) {
      Two v = part[t];
      for (u32 r = 1; r < 8; r++) v.a += part[r * 32 + t].a, v.b += part[r * 32 + t].b;
      u32 c = tile * 32 + t;
      if (c < a.mid.d) write(a, c, s, v);
    });
  }
}
BOTH(BLOCKS, fold_columns, FoldArgs, fold_columns)

// FinishArgs folds the parts that the splits left: n values of each.
struct FinishArgs {
  u64 part, y;
  u32 n, splits;
};

DEV void fold_finish(const FinishArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    float s = 0;
    for (u32 k = 0; k < a.splits; k++) s += ((const float *)a.part)[k * a.n + i];
    ((float *)a.y)[i] = s;
  }
}
THREADS(fold_finish, FinishArgs, fold_finish)

struct ReduceGradArgs {
  u64 dy, x, y;
  Div inner;
  u32 n, fn;
  float coeff;
};

DEV void reduce_grad(const ReduceGradArgs &a) {
  map_each<float, 1>(a.y, {a.x}, 0, a.n, [&](const float(&v)[1], u32 i) {
    float d = a.coeff * ((const float *)a.dy)[quotient(i, a.inner)];
    switch (a.fn) {
    case ASUM: return d * ((v[0] > 0 ? 1.0f : 0.0f) - (v[0] < 0 ? 1.0f : 0.0f));
    case SUM_SQUARES: return d * (2 * v[0]);
    }
    return d;
  });
}
THREADS(reduce_grad_f32, ReduceGradArgs, reduce_grad)
