#include "dev.h"
#include "row.h"
#include "label.h"

#define IGNORED 8

// ConfusionArgs: added holds how often each pair of label and score occurs now;
// old and y hold counts as numbers of two parts.
struct ConfusionArgs {
  u64 x, added, old, y;
  Labels labels;
  Axes z;
  u32 n, ignored; // pairs; entries of ignore
  i32 ignore[IGNORED];
};

// confusion_count: added begins as zeros.
template <class R, class T> DEV void confusion_count(const ConfusionArgs &a) {
  const T *x = (const T *)a.x;
  for (u32 i = R::first(); i < a.z.rows; i += R::step()) {
    float v = ((const float *)a.labels.label)[i];
    bool skip = false;
    for (u32 k = 0; k < a.ignored; k++) skip = skip || (v == v && truncated(v, -1) == a.ignore[k]);
    i32 label = skip ? -1 : class_of(a.labels, i);
    if (label < 0) continue;
    u32 at = place_of(a.z, i);
    u64 best = R::template fold<u64>(
        a.z.along, 0, [&](u32 c) { return rank_of(value(x[at + c * a.z.inner.d]), c); },
        [](u64 p, u64 q) { return p > q ? p : q; });
    R::each(1, [&](u32) { atomic_add((i32 *)a.added + (u32)label * a.z.along + (u32)best - 1, 1); });
  }
}
ROWS_F32(confusion_count, ConfusionArgs, confusion_count)

DEV void confusion_add(const ConfusionArgs &a) {
  const float *old = (const float *)a.old;
  for (u32 i = first(); i < a.n; i += step()) {
    i32 low = (i32)old[a.n + i] + ((const i32 *)a.added)[i];
    ((float *)a.y)[i] = old[i] + (float)(low >> 24);
    ((float *)a.y)[a.n + i] = (float)(low & 0xffffff);
  }
}
THREADS(confusion_add, ConfusionArgs, confusion_add)

struct SegmentScoresArgs {
  u64 counts, y;
  u32 classes;
};

// Sums are exact as long as they are below 2^53.
struct Sums {
  double a, b;
};

template <class F> DEV Sums sums_over(u32 n, F f) {
  return Block::fold<Sums>(n, Sums{0, 0}, f, [](Sums p, Sums q) { return Sums{p.a + q.a, p.b + q.b}; });
}

// segment_scores is one block.
DEV void segment_scores(const SegmentScoresArgs &a) {
  const float *counts = (const float *)a.counts;
  u32 n = a.classes;
  auto of = [&](u32 c, u32 d) { return counts[c * n + d] * 16777216.0 + counts[(n + c) * n + d]; };
  auto row = [&](u32 c) {
    double s = 0;
    for (u32 d = 0; d < n; d++) s += of(c, d);
    return s;
  };
  auto column = [&](u32 c) {
    double s = 0;
    for (u32 d = 0; d < n; d++) s += of(d, c);
    return s;
  };
  Sums right = sums_over(n, [&](u32 c) { return Sums{of(c, c), row(c)}; });
  Sums recall = sums_over(n, [&](u32 c) {
    double actual = row(c);
    return actual > 0 ? Sums{of(c, c) / actual, 1} : Sums{0, 0};
  });
  Sums jaccard = sums_over(n, [&](u32 c) {
    double both = of(c, c), all = row(c) + column(c) - both;
    return Sums{all > 0 ? both / all : 1, 0};
  });
  Block::each(1, [&](u32) {
    float *y = (float *)a.y;
    y[0] = (float)(right.a / (right.b > 1 ? right.b : 1));
    y[1] = (float)(recall.a / (recall.b > 1 ? recall.b : 1));
    y[2] = (float)(jaccard.a / n);
  });
}
BLOCKS(segment_scores, SegmentScoresArgs, segment_scores)
