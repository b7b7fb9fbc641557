// Winograd's algorithm F(2×2, 3×3) in bfloat16: a tile of 2×2 outputs takes 16 products a
// pair of channels instead of 36. Inputs and weights are transformed in float32 and
// rounded to bfloat16, products are summed in float32. Larger tiles would save more, but
// their transforms multiply by up to 8 and magnify the rounding of bfloat16 as much; here
// all factors are ±1 and ½.
#ifndef GOCAFFE_DNNL_WINOGRAD_HPP
#define GOCAFFE_DNNL_WINOGRAD_HPP

#include "common.hpp"

#if defined(GOCAFFE_HAVE_DNNL) && defined(__x86_64__)
#define GOCAFFE_WINOGRAD 1

#include <immintrin.h>

// GCC 12 warns of its own intrinsics.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

// What follows is compiled for these instructions, and used where winograd_bf16 finds them.
// No template of the standard library may be called here: it would be compiled for them
// and linked for all.
#pragma GCC push_options
#pragma GCC optimize("O3")
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,fma")

namespace winograd {

constexpr int64_t lanes = 16;  // channels a block
constexpr int products = 16;   // of a tile and a pair of channels
constexpr int64_t wide = 64;   // output channels that a product's inner loop does at once

// Plane is the activations of one side: [n][all blocks][h][w][16], of which a group has blocks.
struct Plane {
  int64_t n, all, blocks, h, w;
  int64_t at(int64_t item, int64_t block) const { return (item * all + block) * h * w * lanes; }
};

// Tiles are the tiles of 2×2 outputs of all items.
struct Tiles {
  int64_t h, w, count;
  explicit Tiles(const Plane &out) : h((out.h + 1) / 2), w((out.w + 1) / 2), count(out.n * h * w) {}
};

// Tile is one of them; next goes to the next one.
struct Tile {
  int64_t item, y, x;
  Tile(const Tiles &t, int64_t i) : item(i / (t.h * t.w)), y(i / t.w % t.h), x(i % t.w) {}
  void next(const Tiles &t) {
    if (++x < t.w) return;
    x = 0;
    if (++y < t.h) return;
    y = 0;
    item++;
  }
};

inline __m512 widen16(__m256i v) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(v), 16)); }
inline __m512 load16(const uint16_t *p) { return widen16(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(p))); }
inline __m256i round16(__m512 v) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)); }
inline void store16(uint16_t *p, __m512 v) { _mm256_storeu_si256(reinterpret_cast<__m256i *>(p), round16(v)); }

// paired has a in the even and b in the odd elements.
inline __m512i paired(__m512 a, __m512 b) {
  const __m512i even = _mm512_cvtepu16_epi32(round16(a)), odd = _mm512_cvtepu16_epi32(round16(b));
  return _mm512_or_si512(even, _mm512_slli_epi32(odd, 16));
}

// load_pixels reads rows × cols pixels of 16 channels from (y, x) on, zeros beyond the plane.
template <int rows, int cols>
inline void load_pixels(const uint16_t *p, const Plane &v, int64_t y, int64_t x, __m512 *d) {
  if (y >= 0 && x >= 0 && y + rows <= v.h && x + cols <= v.w) {
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < cols; j++) d[i * cols + j] = load16(p + ((y + i) * v.w + x + j) * lanes);
    return;
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) {
      const bool in = y + i >= 0 && y + i < v.h && x + j >= 0 && x + j < v.w;
      d[i * cols + j] = in ? load16(p + ((y + i) * v.w + x + j) * lanes) : _mm512_setzero_ps();
    }
}

// transform_input makes of 4×4 pixels d the 16 factors, Bᵀ·d·B.
inline void transform_input(const __m512 *d, __m512 *v) {
  __m512 t[16];
  for (int j = 0; j < 4; j++) {
    t[j] = d[j] - d[8 + j];
    t[4 + j] = d[4 + j] + d[8 + j];
    t[8 + j] = d[8 + j] - d[4 + j];
    t[12 + j] = d[4 + j] - d[12 + j];
  }
  for (int i = 0; i < 16; i += 4) {
    v[i] = t[i] - t[i + 2];
    v[i + 1] = t[i + 1] + t[i + 2];
    v[i + 2] = t[i + 2] - t[i + 1];
    v[i + 3] = t[i + 1] - t[i + 3];
  }
}

// multiply adds to c, rows × nb blocks of 16 with rowc elements a row, the product of a and
// b over k pairs. Pair i of row r of a is at a + r·rowa + i·step, in 32 bits; that of b at
// b + i·nb·32.
template <int rows, int nb>
inline void multiply(const uint16_t *a, int64_t rowa, int64_t step, const uint16_t *b, int64_t k, float *c, int64_t rowc, bool add) {
  __m512 s[rows][nb];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int j = 0; j < nb; j++) s[r][j] = add ? _mm512_loadu_ps(c + r * rowc + j * lanes) : _mm512_setzero_ps();
  for (int64_t i = 0; i < k; i++, a += step, b += nb * 2 * lanes) {
    __m512i f[nb];
#pragma GCC unroll 4
    for (int j = 0; j < nb; j++) f[j] = _mm512_loadu_si512(b + j * 2 * lanes);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      int32_t pair;
      memcpy(&pair, a + r * rowa, sizeof pair);
      const __m512i one = _mm512_set1_epi32(pair);
#pragma GCC unroll 4
      for (int j = 0; j < nb; j++) s[r][j] = _mm512_dpbf16_ps(s[r][j], reinterpret_cast<__m512bh>(one), reinterpret_cast<__m512bh>(f[j]));
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int j = 0; j < nb; j++) _mm512_storeu_ps(c + r * rowc + j * lanes, s[r][j]);
}

template <int n>
struct Blocks {
  constexpr operator int() const { return n; }
};

// with_blocks runs f with nb, 1 to 4, as a constant.
template <class F>
inline void with_blocks(int64_t nb, F f) {
  switch (nb) {
    case 1:
      return f(Blocks<1>());
    case 2:
      return f(Blocks<2>());
    case 3:
      return f(Blocks<3>());
  }
  f(Blocks<4>());
}

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

inline int64_t rounded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// chunk is the size of chunks that divides n items among threads evenly, in steps.
inline int64_t chunk(int64_t n, int64_t threads, int64_t most, int64_t step) {
  const int64_t each = (n + threads - 1) / threads, chunks = (each + most - 1) / most;
  return rounded((each + chunks - 1) / chunks, step);
}

}  // namespace winograd

#pragma GCC pop_options

// winograd_bf16 is a convolution in whichever direction by Winograd's algorithm, nullptr
// where it does not fit or does not pay.
gc_kernel *winograd_bf16(int which, const gc_window &w, const gc_epilogue &e, const gc_io &io);

// The two kinds of kernels that it chooses from (winograd.cpp, winograd_grad.cpp).
gc_kernel *winograd_forward(const winograd::Plane &x, const winograd::Plane &y, int64_t groups, int64_t pad_h, int64_t pad_w, bool flip,
                            const gc_epilogue &e, const gc_io &io);
gc_kernel *winograd_grad(const winograd::Plane &x, const winograd::Plane &y, int64_t groups, int64_t pad_h, int64_t pad_w, const gc_io &io);

#endif
#endif
