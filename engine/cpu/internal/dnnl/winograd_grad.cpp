#include "winograd.hpp"

#ifdef GOCAFFE_WINOGRAD

#pragma GCC push_options
#pragma GCC optimize("O3")
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,fma")

namespace {

using namespace winograd;

// transform_gradient makes of the gradient e of 2×2 outputs those of the 16 sums, A·e·Aᵀ.
inline void transform_gradient(const __m512 *e, __m512 *m) {
  const __m512 zero = _mm512_setzero_ps();
  const __m512 t[8] = {e[0], e[1], e[0] + e[2], e[1] + e[3], e[0] - e[2], e[1] - e[3], zero - e[2], zero - e[3]};
  for (int i = 0; i < 4; i++) {
    m[4 * i] = t[2 * i];
    m[4 * i + 1] = t[2 * i] + t[2 * i + 1];
    m[4 * i + 2] = t[2 * i] - t[2 * i + 1];
    m[4 * i + 3] = zero - t[2 * i + 1];
  }
}

// transform_factors makes of the gradient u of the 16 factors that of a 3×3 kernel, Gᵀ·u·G.
inline void transform_factors(const __m512 *u, __m512 *g) {
  const __m512 half = _mm512_set1_ps(0.5f);
  __m512 t[12];
  for (int j = 0; j < 4; j++) {
    const __m512 sum = (u[4 + j] + u[8 + j]) * half;
    t[j] = u[j] + sum;
    t[4 + j] = (u[4 + j] - u[8 + j]) * half;
    t[8 + j] = sum + u[12 + j];
  }
  for (int i = 0; i < 3; i++) {
    const __m512 *r = t + 4 * i, sum = (r[1] + r[2]) * half;
    g[3 * i] = r[0] + sum;
    g[3 * i + 1] = (r[1] - r[2]) * half;
    g[3 * i + 2] = sum + r[3];
  }
}

// Grad is the gradient of the kernels, and of the bias: the products sum over tiles. All
// threads transform a chunk of tiles, a few megabytes so that they seldom wait for one
// another, then share the products.
struct Grad final : gc_kernel {
  Grad(const Plane &x, const Plane &y, int64_t groups, int64_t pad_h, int64_t pad_w, const gc_io &io)
      : x(x), y(y), tiles(y), groups(groups), pad_h(pad_h), pad_w(pad_w), out(io.n_in), spare(io.n_in + io.n_out) {
    bias = io.n_out > 1 && io.out[1].dtype != GC_NONE;
    const int64_t in = x.blocks * lanes, channels = y.blocks * lanes;
    const int64_t fit = (8 << 20) / (products * 2 * (in + channels));
    step = chunk(tiles.count, 1, fit < 400 ? 400 : least(fit, 2048), 2);
    gradients = rounded(products * step * in * 2, 64);
    factors = gradients + rounded(products * step * channels * 2, 64);
    shifts = factors + products * in * channels * 4;
    workspace = shifts + io.threads * channels * 4;
  }

  const char *implementation() const override { return "own Winograd, bf16"; }

  void run(void *const *b) override {
    char *ws = static_cast<char *>(b[spare]);
    uint16_t *v = reinterpret_cast<uint16_t *>(ws), *m = reinterpret_cast<uint16_t *>(ws + gradients);
    float *u = reinterpret_cast<float *>(ws + factors), *shift = reinterpret_cast<float *>(ws + shifts);
    for (int64_t g = 0; g < groups; g++) {
      memset(shift, 0, static_cast<size_t>(threads * y.blocks * lanes) * sizeof *shift);
      for (int64_t from = 0; from < tiles.count; from += step) chunk_of(b, g, from, least(step, tiles.count - from), v, m, u, shift);
      const int64_t pairs = x.blocks * y.blocks;
      split_items(pairs, pairs * 256 * 9, [&](int64_t i) { kernels(u, f32(b, out) + (g * pairs + i) * 256 * 9, i); });
      if (bias) shift_of(shift, f32(b, out + 1) + g * y.blocks * lanes);
    }
  }

  void chunk_of(void *const *b, int64_t g, int64_t from, int64_t n, uint16_t *v, uint16_t *m, float *u, float *shift) const {
    const int64_t pairs = (n + 1) / 2, jobs = products * x.blocks * y.blocks;
    team(parallel_above, [&](int thread, int threads) {
      const Share s((x.blocks + y.blocks) * pairs, 1, thread, threads);
      for (int64_t i = s.from; i < s.to; i++) {
        const int64_t block = i / pairs, pair = i % pairs;
        if (block < x.blocks) inputs(static_cast<const uint16_t *>(b[0]), g, block, from, pair, n, v);
        else outputs(static_cast<const uint16_t *>(b[1]), g, block - x.blocks, from, pair, n, m, shift + thread * y.blocks * lanes);
      }
    });
    const int64_t panels = (y.blocks + 3) / 4;
    team(jobs * 256 * n, [&](int thread, int threads) {
      const Share s(products * panels * x.blocks, 1, thread, threads);
      for (int64_t i = s.from; i < s.to; i++) product(i / (panels * x.blocks), i / x.blocks % panels, i % x.blocks, pairs, v, m, u, from > 0);
    });
  }

  // inputs transforms two tiles of 16 input channels, as [factor][block][pair][16][2].
  void inputs(const uint16_t *from, int64_t g, int64_t ib, int64_t first, int64_t pair, int64_t n, uint16_t *v) const {
    __m512 f[2][products];
    for (int64_t i = 0; i < 2; i++) {
      if (2 * pair + i >= n) {
        memset(f[i], 0, sizeof f[i]);
        continue;
      }
      const Tile t(tiles, first + 2 * pair + i);
      __m512 d[16];
      load_pixels<4, 4>(from + x.at(t.item, g * x.blocks + ib), x, 2 * t.y - pad_h, 2 * t.x - pad_w, d);
      transform_input(d, f[i]);
    }
    for (int k = 0; k < products; k++) _mm512_storeu_si512(v + ((k * x.blocks + ib) * step / 2 + pair) * 2 * lanes, paired(f[0][k], f[1][k]));
  }

  // outputs does the same for the gradient of 16 output channels, as [factor][panel][pair][64][2].
  void outputs(const uint16_t *from, int64_t g, int64_t ob, int64_t first, int64_t pair, int64_t n, uint16_t *m, float *shift) const {
    __m512 f[2][products], sum = _mm512_setzero_ps();
    for (int64_t i = 0; i < 2; i++) {
      if (2 * pair + i >= n) {
        memset(f[i], 0, sizeof f[i]);
        continue;
      }
      const Tile t(tiles, first + 2 * pair + i);
      __m512 e[4];
      load_pixels<2, 2>(from + y.at(t.item, g * y.blocks + ob), y, 2 * t.y, 2 * t.x, e);
      transform_gradient(e, f[i]);
      sum = sum + f[i][5];  // the sum of all four
    }
    if (bias) _mm512_storeu_ps(shift + ob * lanes, _mm512_loadu_ps(shift + ob * lanes) + sum);
    const int64_t panel = ob / 4, nb = least(4, y.blocks - panel * 4);
    uint16_t *to = m + panel * wide * step + (pair * nb + ob % 4) * 2 * lanes;
    for (int k = 0; k < products; k++) _mm512_storeu_si512(to + k * y.blocks * lanes * step, paired(f[0][k], f[1][k]));
  }

  // product adds a chunk to the gradient of a factor, 16 × up to 64 channels.
  void product(int64_t k, int64_t panel, int64_t ib, int64_t pairs, const uint16_t *v, const uint16_t *m, float *u, bool add) const {
    const int64_t nb = least(4, y.blocks - panel * 4);
    const uint16_t *a = v + (k * x.blocks + ib) * step * lanes, *b = m + k * y.blocks * lanes * step + panel * wide * step;
    float *c = u + factor(k, panel, nb, ib);
    with_blocks(nb, [&](auto blocks) {
      const int64_t row = blocks * lanes;
      multiply<6, blocks>(a, 2, 2 * lanes, b, pairs, c, row, add);
      multiply<5, blocks>(a + 12, 2, 2 * lanes, b, pairs, c + 6 * row, row, add);
      multiply<5, blocks>(a + 22, 2, 2 * lanes, b, pairs, c + 11 * row, row, add);
    });
  }

  // factor is where the gradient of a factor has 16 input channels and a panel of outputs.
  int64_t factor(int64_t k, int64_t panel, int64_t nb, int64_t ib) const {
    const int64_t in = x.blocks * lanes;
    return k * in * y.blocks * lanes + panel * wide * in + ib * lanes * nb * lanes;
  }

  // kernels makes block i of the kernels' gradient, [3×3][16 inputs][16 outputs].
  void kernels(const float *u, float *w, int64_t i) const {
    const int64_t ob = i / x.blocks, ib = i % x.blocks, panel = ob / 4, nb = least(4, y.blocks - panel * 4);
    for (int64_t c = 0; c < lanes; c++) {
      __m512 f[products], g[9];
      for (int k = 0; k < products; k++) f[k] = _mm512_loadu_ps(u + factor(k, panel, nb, ib) + (c * nb + ob % 4) * lanes);
      transform_factors(f, g);
      for (int k = 0; k < 9; k++) _mm512_storeu_ps(w + (k * lanes + c) * lanes, g[k]);
    }
  }

  void shift_of(const float *shift, float *to) const {
    const int64_t channels = y.blocks * lanes;
    for (int64_t c = 0; c < channels; c++) {
      float sum = 0;
      for (int t = 0; t < threads; t++) sum += shift[t * channels + c];
      to[c] = sum;
    }
  }

  Plane x, y;
  Tiles tiles;
  int64_t groups, pad_h, pad_w;
  bool bias;
  int out, spare;                      // places in the block: the kernels' gradient, the workspace
  int64_t step;                        // tiles a chunk
  int64_t gradients, factors, shifts;  // places in the workspace, in bytes
};

}  // namespace

#pragma GCC pop_options

gc_kernel *winograd_grad(const Plane &x, const Plane &y, int64_t groups, int64_t pad_h, int64_t pad_w, const gc_io &io) {
  return new Grad(x, y, groups, pad_h, pad_w, io);
}

#endif
