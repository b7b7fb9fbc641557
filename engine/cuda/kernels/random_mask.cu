#include "dev.h"
#include "map.h"

// RandomMaskArgs: n elements, scale where the number drawn is less than below, else 0.
struct RandomMaskArgs {
  u64 seed, y, below;
  u32 n;
  float scale;
};

// philox is Philox4x32-10 of the counter (c0, 0, 0, 0), see engine/random_mask.go.
DEV void philox(u32 c0, u32 key0, u32 key1, u32 (&c)[4]) {
  c[0] = c0, c[1] = c[2] = c[3] = 0;
#pragma unroll
  for (int round = 0; round < 10; round++) {
    u32 high0 = mul_high(0xd2511f53u, c[0]), low0 = 0xd2511f53u * c[0];
    u32 high1 = mul_high(0xcd9e8d57u, c[2]), low1 = 0xcd9e8d57u * c[2];
    c[0] = high1 ^ c[1] ^ key0, c[1] = low1;
    c[2] = high0 ^ c[3] ^ key1, c[3] = low0;
    key0 += 0x9e3779b9u, key1 += 0xbb67ae85u;
  }
}

template <class T> DEV void random_mask(const RandomMaskArgs &a) {
  const float *seed = (const float *)a.seed;
  u32 key0 = (u32)seed[0] | (u32)seed[1] << 16, key1 = (u32)seed[2] | (u32)seed[3] << 16;
  for (u32 i = first(); 4 * i < a.n; i += step()) {
    u32 drawn[4];
    philox(i, key0, key1, drawn);
#pragma unroll
    for (u32 k = 0; k < 4; k++)
      if (4 * i + k < a.n) put((T *)a.y + 4 * i + k, drawn[k] < a.below ? a.scale : 0);
  }
}
BOTH(THREADS, random_mask, RandomMaskArgs, random_mask)
