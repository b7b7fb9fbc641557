#include "dev.h"

// GatherArgs: rows of row elements; index entries choose among limit of them.
struct GatherArgs {
  u64 x, index, y, flag;
  Div row;
  u32 n, limit, entries;
};

// row_of is the row that index entry i picks, −1 and a report where it is none.
DEV i32 row_of(const GatherArgs &a, u32 i) {
  float v = ((const float *)a.index)[i];
  i32 r = truncated(v, -1);
  if (r >= 0 && r < (i32)a.limit) return r;
  fail(a.flag, i, v);
  return -1;
}

DEV void gather(const GatherArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 o = quotient(i, a.row), r = i - o * a.row.d;
    i32 from = row_of(a, o);
    ((float *)a.y)[i] = from < 0 ? 0 : ((const float *)a.x)[(u32)from * a.row.d + r];
  }
}
THREADS(gather, GatherArgs, gather)

// gather_grad: a block adds up one row of dx, in the order of the entries. Of
// each stretch of entries the threads first note which pick the row.
DEV void gather_grad(const GatherArgs &a) {
  u8 *picks = own_memory<u8, MAX_THREADS>();
  u32 width = a.row.d, stretch = block_size();
  for (u32 row = block_index(); row < a.limit; row += block_count()) {
    float *y = (float *)a.y + row * width;
    Block::each(width, [&](u32 j) { y[j] = 0; });
    for (u32 from = 0; from < a.entries; from += stretch) {
      u32 n = a.entries - from < stretch ? a.entries - from : stretch;
      u32 found = count<Block>(n, [&](u32 t) { return picks[t] = row_of(a, from + t) == (i32)row; });
      if (found == 0) continue;
      Block::each(width, [&](u32 j) {
        for (u32 t = 0; t < n; t++)
          if (picks[t]) y[j] += ((const float *)a.x)[(from + t) * width + j];
      });
    }
  }
}
BLOCKS(gather_grad, GatherArgs, gather_grad)
