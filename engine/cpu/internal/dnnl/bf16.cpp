#include "bf16.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#define LOOPS "bf16_loops.inc"
#include "isa.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

// round_avx512 does with one instruction what takes the portable loop ten.
__attribute__((target("avx512f,avx512vl,avx512bw,avx512bf16"))) static void round_avx512(const float *x, uint16_t *y, int64_t n) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m256bh half = _mm512_cvtneps_pbh(_mm512_loadu_ps(x + i));
    memcpy(y + i, &half, sizeof half);
  }
  if (i == n) return;
  const __mmask16 rest = static_cast<__mmask16>((1u << (n - i)) - 1);
  const __m256bh half = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(rest, x + i));
  memcpy(y + i, &half, static_cast<size_t>(n - i) * sizeof *y);
}
#endif

void widen(const uint16_t *x, float *y, int64_t n) { PICK(widen_run)(x, y, n); }

void round_to(const float *x, uint16_t *y, int64_t n) {
#if defined(__x86_64__)
  static const bool direct = gc_has_bf16() && __builtin_cpu_supports("avx512bf16");
  if (direct) return round_avx512(x, y, n);
#endif
  PICK(round_run)(x, y, n);
}

Walk::Walk(const gc_io &io) : inputs(io.n_in), n(io.n_in + io.n_out) {
  if (n > most) throw Unsupported("so many tensors");
  for (int i = 0; i < n; i++) {
    const gc_desc &d = i < inputs ? io.in[i] : io.out[i - inputs];
    narrow[i] = d.dtype == GC_BF16;
    if (narrow[i]) rooms++;
  }
}

#endif
