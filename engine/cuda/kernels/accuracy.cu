#include "dev.h"
#include "row.h"
#include "label.h"

// AccuracyArgs: counts holds for each class how many items were right, then how
// many there were.
struct AccuracyArgs {
  u64 x, counts, y, per_class;
  Labels labels;
  Axes z;
  u32 top;
};

// accuracy_count: counts begins as zeros.
template <class R, class T> DEV void accuracy_count(const AccuracyArgs &a) {
  const T *x = (const T *)a.x;
  u32 gap = a.z.inner.d;
  for (u32 i = R::first(); i < a.z.rows; i += R::step()) {
    i32 label = class_of(a.labels, i);
    if (label < 0) continue;
    u32 at = place_of(a.z, i);
    float score = value(x[at + (u32)label * gap]);
    u32 better = count<R>(a.z.along, [&](u32 c) { return (i32)c != label && value(x[at + c * gap]) >= score; });
    R::each(1, [&](u32) {
      i32 *counts = (i32 *)a.counts;
      if (score == score && better < a.top) atomic_add(counts + label, 1);
      atomic_add(counts + a.z.along + label, 1);
    });
  }
}
ROWS(accuracy_count, AccuracyArgs, accuracy_count)

DEV float share_of(i32 n, i32 of) { return of == 0 ? 0 : (float)n / (float)of; }

// accuracy_share is one block.
DEV void accuracy_share(const AccuracyArgs &a) {
  const i32 *counts = (const i32 *)a.counts;
  u32 classes = a.z.along;
  auto plus = [](i32 p, i32 q) { return p + q; };
  i32 right = Block::fold<i32>(classes, 0, [&](u32 c) { return counts[c]; }, plus);
  i32 seen = Block::fold<i32>(classes, 0, [&](u32 c) { return counts[classes + c]; }, plus);
  Block::each(classes, [&](u32 c) {
    if (c == 0 && a.y) *(float *)a.y = share_of(right, seen);
    if (a.per_class) ((float *)a.per_class)[c] = share_of(counts[c], counts[classes + c]);
  });
}
BLOCKS(accuracy_share, AccuracyArgs, accuracy_share)

// ArgMaxArgs: element j of row i goes to place_of of an axis of top elements, or
// without an axis to item i: indices, then values if there are two planes.
struct ArgMaxArgs {
  u64 x, y;
  Axes z;
  u32 top, has_axis, values;
};

template <class R, class T> DEV void argmax(const ArgMaxArgs &a) {
  const T *x = (const T *)a.x;
  float *y = (float *)a.y;
  u32 gap = a.z.inner.d;
  for (u32 i = R::first(); i < a.z.rows; i += R::step()) {
    u32 at = place_of(a.z, i);
    u64 last = ~0ull;
    for (u32 j = 0; j < a.top; j++) {
      last = R::template fold<u64>(
          a.z.along, 0,
          [&](u32 c) {
            u64 r = rank_of(value(x[at + c * gap]), c);
            return r < last ? r : 0;
          },
          [](u64 p, u64 q) { return p > q ? p : q; });
      u32 best = (u32)last - 1;
      float v = value(x[at + best * gap]);
      R::each(1, [&](u32) {
        u32 o = quotient(i, a.z.inner), r = i - o * gap;
        if (a.has_axis) {
          y[(o * a.top + j) * gap + r] = a.values ? v : (float)best;
        } else if (a.values) {
          y[2 * i * a.top + j] = (float)best;
          y[(2 * i + 1) * a.top + j] = v;
        } else {
          y[i * a.top + j] = (float)best;
        }
      });
    }
  }
}
ROWS_F32(argmax, ArgMaxArgs, argmax)

// OneHotArgs: an item without a class is off everywhere.
struct OneHotArgs {
  u64 y;
  Labels labels;
  Div classes;
  u32 n;
  float on, off;
};

DEV void onehot(const OneHotArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 item = quotient(i, a.classes);
    ((float *)a.y)[i] = class_of(a.labels, item) == (i32)(i - item * a.classes.d) ? a.on : a.off;
  }
}
THREADS(onehot, OneHotArgs, onehot)

// NonzeroArgs: found places go to y, limit at most.
struct NonzeroArgs {
  u64 x, y, flag;
  u32 n, limit;
};

// nonzero is one block: each thread counts a stretch, then writes it.
DEV void nonzero(const NonzeroArgs &a) {
  u32 *before = own_memory<u32, MAX_THREADS + 1>();
  const float *x = (const float *)a.x;
  u32 threads = block_size(), stretch = (a.n + threads - 1) / threads;
  auto walk = [&](u32 t, u32 to, bool write) {
    u32 end = (t + 1) * stretch < a.n ? (t + 1) * stretch : a.n;
    for (u32 i = t * stretch; i < end; i++) {
      if (x[i] == 0) continue;
      if (write && to < a.limit) ((float *)a.y)[to] = (float)i;
      to++;
    }
    return to;
  };
  Block::each(threads, [&](u32 t) { before[t + 1] = walk(t, 0, false); });
  Block::each(1, [&](u32) {
    before[0] = 0;
    for (u32 t = 0; t < threads; t++) before[t + 1] += before[t];
    if (before[threads] != a.limit) fail(a.flag, before[threads], 0);
  });
  Block::each(threads, [&](u32 t) { walk(t, before[t], true); });
}
BLOCKS(nonzero, NonzeroArgs, nonzero)
