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
