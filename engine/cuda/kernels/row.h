// Rows are what ops along one axis work on: a tensor of outer × along × inner
// elements has outer·inner of them.
#pragma once

struct Axes {
  u32 rows, along;
  Div inner;
};

// place is where row i begins; its elements are inner.d apart.
DEV u32 place_of(const Axes &z, u32 i) {
  u32 o = quotient(i, z.inner);
  return o * z.along * z.inner.d + (i - o * z.inner.d);
}

// rank_of is larger for what comes first where elements of a row are ranked: larger
// values, among equals larger indices, NaN last. It is not 0, and holds i + 1 below.
DEV u64 rank_of(float v, u32 i) {
  u32 u = bits_of(v == 0 ? 0.0f : v);
  u = u >> 31 ? ~u : u | 0x80000000u;
  return (u64)(v != v ? 0 : u) << 32 | (i + 1);
}

// ROWS names a kernel in two forms: a block a row, and a thread a row for rows
// that lie side by side.
#define ROWS(name, A, body)                          \
  BLOCKS(name##_blocks_f32, A, body<Block, float>)   \
  BLOCKS(name##_blocks_bf16, A, body<Block, bf16>)   \
  THREADS(name##_threads_f32, A, body<Alone, float>) \
  THREADS(name##_threads_bf16, A, body<Alone, bf16>)

#define ROWS_F32(name, A, body)                    \
  BLOCKS(name##_blocks_f32, A, body<Block, float>) \
  THREADS(name##_threads_f32, A, body<Alone, float>)
