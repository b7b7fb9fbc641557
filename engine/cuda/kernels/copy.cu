#include "dev.h"
#include "map.h"

// CopyArgs moves rows of row elements: row i begins at i·from in x and at i·to in y.
struct CopyArgs {
  u64 x, y;
  Div row;
  u32 n, from, to;
};

template <class W> DEV void copy_rows(const CopyArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 o = quotient(i, a.row), r = i - o * a.row.d;
    ((W *)a.y)[o * a.to + r] = ((const W *)a.x)[o * a.from + r];
  }
}
THREADS(copy_rows_32, CopyArgs, copy_rows<u32>)
THREADS(copy_rows_16, CopyArgs, copy_rows<u16>)

#define RANK 6

// PermuteArgs: axis k of y has size[k] elements, step[k] apart in x.
struct PermuteArgs {
  u64 x, y;
  Div size[RANK];
  u32 step[RANK];
  u32 n;
};

template <class W> DEV void permute(const PermuteArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) {
    u32 rest = i, from = 0;
#pragma unroll
    for (int k = RANK - 1; k >= 0; k--) {
      u32 q = quotient(rest, a.size[k]);
      from += (rest - q * a.size[k].d) * a.step[k];
      rest = q;
    }
    ((W *)a.y)[i] = ((const W *)a.x)[from];
  }
}
THREADS(permute_32, PermuteArgs, permute<u32>)
THREADS(permute_16, PermuteArgs, permute<u16>)

// TransposeArgs turns batch matrices of rows × columns into columns × rows;
// across and down are the tiles of 32 × 32 of a matrix.
struct TransposeArgs {
  u64 x, y;
  Div across, down;
  u32 batch, rows, columns;
};

// transpose goes through a tile in shared memory, so that a warp reads and writes
// neighbours; it converts between element types on the way. A block has 256
// threads.
template <class S, class D> DEV void transpose(const TransposeArgs &a) {
  float *tile = own_memory<float, 32 * 33>();
  for (u32 b = block_index(); b < a.batch * a.across.d * a.down.d; b += block_count()) {
    u32 q = quotient(b, a.across), column = (b - q * a.across.d) * 32;
    u32 m = quotient(q, a.down), row = (q - m * a.down.d) * 32;
    u32 base = m * a.rows * a.columns;
    Block::each(1024, [&](u32 t) {
      u32 r = row + t / 32, c = column + t % 32;
      if (r < a.rows && c < a.columns) tile[t / 32 * 33 + t % 32] = value(((const S *)a.x)[base + r * a.columns + c]);
    });
    Block::each(1024, [&](u32 t) {
      u32 c = column + t / 32, r = row + t % 32;
      if (r < a.rows && c < a.columns) put((D *)a.y + base + c * a.rows + r, tile[t % 32 * 33 + t / 32]);
    });
  }
}
BLOCKS(transpose_f32_f32, TransposeArgs, transpose<float, float>)
BLOCKS(transpose_f32_bf16, TransposeArgs, transpose<float, bf16>)
BLOCKS(transpose_bf16_f32, TransposeArgs, transpose<bf16, float>)
BLOCKS(transpose_bf16_bf16, TransposeArgs, transpose<bf16, bf16>)

struct ConvertArgs {
  u64 x, y;
  u32 n;
};

template <class S, class D> DEV void convert(const ConvertArgs &a) {
  for (u32 i = first(); i < a.n; i += step()) put((D *)a.y + i, value(((const S *)a.x)[i]));
}
THREADS(convert_f32_bf16, ConvertArgs, convert<float, bf16>)
THREADS(convert_bf16_f32, ConvertArgs, convert<bf16, float>)
