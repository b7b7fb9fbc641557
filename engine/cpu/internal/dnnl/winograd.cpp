#include "winograd.hpp"

#ifdef GOCAFFE_WINOGRAD

#pragma GCC push_options
#pragma GCC optimize("O3")
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,fma")

namespace {

using namespace winograd;

constexpr int64_t tall = 6;  // tiles that a product's inner loop does at once

// transform_kernel makes of a 3×3 kernel g the 16 factors, G·g·Gᵀ.
inline void transform_kernel(const __m512 *g, __m512 *u) {
  const __m512 half = _mm512_set1_ps(0.5f);
  __m512 t[12];
  for (int j = 0; j < 3; j++) {
    const __m512 ends = (g[j] + g[6 + j]) * half, mid = g[3 + j] * half;
    t[j] = g[j];
    t[3 + j] = ends + mid;
    t[6 + j] = ends - mid;
    t[9 + j] = g[6 + j];
  }
  for (int i = 0; i < 4; i++) {
    const __m512 *r = t + 3 * i, ends = (r[0] + r[2]) * half, mid = r[1] * half;
    u[4 * i] = r[0];
    u[4 * i + 1] = ends + mid;
    u[4 * i + 2] = ends - mid;
    u[4 * i + 3] = r[2];
  }
}

// transform_output makes of 16 sums 2×2 outputs, Aᵀ·m·A.
inline void transform_output(const __m512 *m, __m512 *y) {
  __m512 t[8];
  for (int j = 0; j < 4; j++) {
    t[j] = m[j] + m[4 + j] + m[8 + j];
    t[4 + j] = m[4 + j] - m[8 + j] - m[12 + j];
  }
  for (int i = 0; i < 2; i++) {
    const __m512 *r = t + 4 * i;
    y[2 * i] = r[0] + r[1] + r[2];
    y[2 * i + 1] = r[1] - r[2] - r[3];
  }
}

// Forward is a convolution of x, or of an output's gradient with flipped kernels. A
// thread transforms a chunk of tiles so small that its factors stay in the second-level
// cache, multiplies, and transforms the sums of 64 output channels at a time.
struct Forward final : gc_kernel {
  Forward(const Plane &x, const Plane &y, int64_t groups, int64_t pad_h, int64_t pad_w, bool flip, const gc_epilogue &e, const gc_io &io)
      : x(x), y(y), tiles(y), groups(groups), pad_h(pad_h), pad_w(pad_w), flip(flip), e(e), out(io.n_in), narrow(io.out[0].dtype == GC_BF16) {
    const int64_t in = x.blocks * lanes, most = least((1 << 18) / (in * products), 16 * tall);
    step = chunk(tiles.count, io.threads, most < tall ? tall : most / tall * tall, tall);
    const int64_t factors = products * in * y.blocks * lanes * 2;
    input = rounded(groups * factors, 64);
    sums = rounded(products * step * in * 2, 64);
    each = sums + products * step * wide * 4;
    workspace = input + io.threads * each;
  }

  const char *implementation() const override { return "own Winograd, bf16"; }

  void run(void *const *b) override {
    char *ws = static_cast<char *>(b[out + 1]);
    uint16_t *u = reinterpret_cast<uint16_t *>(ws);
    const int64_t pairs = groups * x.blocks * y.blocks, chunks = (tiles.count + step - 1) / step;
    team(pairs * 256 * 9, [&](int thread, int threads) {
      const Share s(pairs, 1, thread, threads);
      for (int64_t i = s.from; i < s.to; i++) weights(static_cast<const uint16_t *>(b[1]), u, i);
    });
    team(parallel_above, [&](int thread, int threads) {
      const Share s(groups * chunks, 1, thread, threads);
      uint16_t *v = reinterpret_cast<uint16_t *>(ws + input + thread * each);
      float *m = reinterpret_cast<float *>(ws + input + thread * each + sums);
      for (int64_t i = s.from; i < s.to; i++) {
        const int64_t from = i % chunks * step;
        piece(b, i / chunks, from, least(step, tiles.count - from), u, v, m);
      }
    });
  }

  // weights transforms block i of the kernels: 16 × 16 channels, pairs of which lie together.
  void weights(const uint16_t *w, uint16_t *u, int64_t i) const {
    // Blocks lie as [group][out][in], of the convolution whose gradient a flipped one is.
    const int64_t inner = flip ? y.blocks : x.blocks, outer = flip ? x.blocks : y.blocks;
    const int64_t g = i / (inner * outer), first = i / inner % outer, second = i % inner;
    const int64_t ob = flip ? second : first, ib = flip ? first : second;
    const int64_t in = x.blocks * lanes, all = in * y.blocks * lanes;
    const int64_t panel = ob / 4, nb = least(4, y.blocks - panel * 4);
    uint16_t *to = u + g * products * all + panel * wide * in + (ib * 8 * nb + ob % 4) * 2 * lanes;
    for (int pair = 0; pair < 8; pair++, to += nb * 2 * lanes) {
      __m512 low[9], high[9], a[products], b[products];
      for (int k = 0; k < 9; k++) {
        const __m512i v = _mm512_loadu_si512(w + (i * 9 + (flip ? 8 - k : k)) * 256 + pair * 2 * lanes);
        low[k] = _mm512_castsi512_ps(_mm512_slli_epi32(v, 16));
        high[k] = _mm512_castsi512_ps(_mm512_and_si512(v, _mm512_set1_epi32(static_cast<int32_t>(0xffff0000))));
      }
      transform_kernel(low, a);
      transform_kernel(high, b);
      for (int k = 0; k < products; k++) _mm512_storeu_si512(to + k * all, paired(a[k], b[k]));
    }
  }

  // piece is n tiles of a group, from tile from on.
  void piece(void *const *b, int64_t g, int64_t from, int64_t n, const uint16_t *u, uint16_t *v, float *m) const {
    const int64_t in = x.blocks * lanes, all = in * y.blocks * lanes;
    inputs(static_cast<const uint16_t *>(b[0]), g, from, n, v);
    for (int64_t ob = 0; ob < y.blocks; ob += 4) {
      const int64_t nb = least(4, y.blocks - ob);
      with_blocks(nb, [&](auto blocks) {
        for (int k = 0; k < products; k++)
          for (int64_t t = 0; t < n; t += tall)
            multiply<tall, blocks>(v + (k * step + t) * in, in, 2, u + (g * products + k) * all + ob * lanes * in, in / 2,
                                   m + (k * step + t) * wide, wide, false);
      });
      for (int64_t j = 0; j < nb; j++) outputs(b, g, ob + j, from, n, m + j * lanes);
    }
  }

  void inputs(const uint16_t *from, int64_t g, int64_t first, int64_t n, uint16_t *v) const {
    const int64_t in = x.blocks * lanes;
    for (int64_t ib = 0; ib < x.blocks; ib++) {
      Tile t(tiles, first);
      for (int64_t i = 0; i < n; i++, t.next(tiles)) {
        __m512 d[16], f[products];
        load_pixels<4, 4>(from + x.at(t.item, g * x.blocks + ib), x, 2 * t.y - pad_h, 2 * t.x - pad_w, d);
        transform_input(d, f);
        for (int k = 0; k < products; k++) store16(v + (k * step + i) * in + ib * lanes, f[k]);
      }
    }
    // What fills the last rows of a product's inner loop is computed with, but not used.
    const int64_t rest = rounded(n, tall) - n;
    for (int k = 0; rest > 0 && k < products; k++) memset(v + (k * step + n) * in, 0, static_cast<size_t>(rest * in) * sizeof *v);
  }

  void outputs(void *const *b, int64_t g, int64_t ob, int64_t first, int64_t n, const float *m) const {
    const int64_t channel = (g * y.blocks + ob) * lanes;
    const __m512 bias = e.bias ? _mm512_loadu_ps(f32(b, 2) + channel) : _mm512_setzero_ps();
    Tile t(tiles, first);
    for (int64_t i = 0; i < n; i++, t.next(tiles)) {
      __m512 sum[products], r[4];
      for (int k = 0; k < products; k++) sum[k] = _mm512_loadu_ps(m + (k * step + i) * wide);
      transform_output(sum, r);
      for (int j = 0; j < 4; j++) {
        const int64_t row = 2 * t.y + j / 2, col = 2 * t.x + j % 2;
        if (row < y.h && col < y.w) finish(b, y.at(t.item, g * y.blocks + ob) + (row * y.w + col) * lanes, r[j] + bias);
      }
    }
  }

  // finish is the epilogue, in the order of engine.Epilogue.
  void finish(void *const *b, int64_t at, __m512 v) const {
    const int add = 2 + e.bias;
    if (e.add) v = v + (narrow ? load16(static_cast<const uint16_t *>(b[add]) + at) : _mm512_loadu_ps(f32(b, add) + at));
    if (e.relu) v = _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_LT_OQ), v, _mm512_set1_ps(e.slope));
    narrow ? store16(static_cast<uint16_t *>(b[out]) + at, v) : _mm512_storeu_ps(f32(b, out) + at, v);
  }

  Plane x, y;
  Tiles tiles;
  int64_t groups, pad_h, pad_w;
  bool flip;
  gc_epilogue e;
  int out;
  bool narrow;
  int64_t step;               // tiles a chunk
  int64_t input, sums, each;  // places in the workspace, in bytes: a thread's part, in it the sums, its size
};

}  // namespace

#pragma GCC pop_options

gc_kernel *winograd_forward(const winograd::Plane &x, const winograd::Plane &y, int64_t groups, int64_t pad_h, int64_t pad_w, bool flip,
                            const gc_epilogue &e, const gc_io &io) {
  return new Forward(x, y, groups, pad_h, pad_w, flip, e, io);
}

// able reports whether the processor has the instructions, and no AMX, whose direct
// convolutions are faster than this.
static bool able() {
  static const bool yes = [] {
    __builtin_cpu_init();
    const auto allowed = [](dnnl_cpu_isa_t isa) { return (dnnl_get_effective_cpu_isa() & isa) == isa; };
    return isa() == Isa::avx512 && allowed(dnnl_cpu_isa_avx512_core_bf16) && !allowed(dnnl_cpu_isa_avx512_core_amx) && __builtin_cpu_supports("avx512bf16");
  }();
  return yes;
}

// worth reports whether the algorithm is faster than a direct convolution. The unit of
// time is a product of 16 pairs of channels, about 60 ps on two threads; the others are
// those that fit what convolutions of VGG, ResNet and SqueezeNet took: the transforms of 16
// channels of a tile, the transform of 16 × 16 kernels, oneDNN's direct convolution.
static bool worth(int which, const Plane &in, const Plane &out) {
  const bool grad = which == GC_CONV_GRAD_WEIGHTS;
  const double tiles = static_cast<double>(Tiles(out).count), i = static_cast<double>(in.blocks), o = static_cast<double>(out.blocks);
  const double direct = static_cast<double>(out.n * out.h * out.w) * i * o * (grad ? 94 : 72);
  return tiles * i * o * 128 + tiles * (i + o) * 230 + i * o * (grad ? 15000 : 17000) < 0.9 * direct;
}

gc_kernel *winograd_bf16(int which, const gc_window &w, const gc_epilogue &e, const gc_io &io) {
  const bool grad = which == GC_CONV_GRAD_WEIGHTS;
  const gc_desc &x = which == GC_CONV_GRAD_DATA ? io.out[0] : io.in[0], &y = which == GC_CONV ? io.out[0] : io.in[grad ? 1 : 0];
  const gc_desc &k = grad ? io.out[0] : io.in[1];
  if (!able() || w.axes != 2 || x.rank != 4 || x.tag != dnnl_nChw16c || y.tag != dnnl_nChw16c) return nullptr;
  for (int i = 0; i < 2; i++)
    if (k.dim[2 + i] != 3 || w.stride[i] != 1 || w.dilation[i] != 1 || w.pad[i] > 2) return nullptr;
  if (io.in[0].dtype != GC_BF16 || io.in[1].dtype != GC_BF16) return nullptr;
  if (e.add && (io.in[2 + e.bias].dtype != io.out[0].dtype || io.in[2 + e.bias].tag != dnnl_nChw16c)) return nullptr;
  const bool grouped = w.groups > 1;
  const int want = grad                         ? (grouped ? dnnl_gOIhw16i16o : dnnl_OIhw16i16o)
                   : which == GC_CONV_GRAD_DATA ? (grouped ? dnnl_gOIhw8o16i2o : dnnl_OIhw8o16i2o)
                                                : (grouped ? dnnl_gOIhw8i16o2i : dnnl_OIhw8i16o2i);
  const int64_t in = x.dim[1] / w.groups, out = y.dim[1] / w.groups;
  if (k.tag != want || in % lanes != 0 || out % lanes != 0) return nullptr;
  const Plane px{x.dim[0], x.dim[1] / lanes, in / lanes, x.dim[2], x.dim[3]}, py{y.dim[0], y.dim[1] / lanes, out / lanes, y.dim[2], y.dim[3]};
  const bool back = which == GC_CONV_GRAD_DATA;
  if (!worth(which, back ? py : px, back ? px : py)) return nullptr;
  if (grad) return winograd_grad(px, py, w.groups, w.pad[0], w.pad[1], io);
  if (back) return winograd_forward(py, px, w.groups, 2 - w.pad[0], 2 - w.pad[1], true, e, io);
  return winograd_forward(px, py, w.groups, w.pad[0], w.pad[1], false, e, io);
}

#endif
