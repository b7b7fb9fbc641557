#include "bf16.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#define LOOPS "bf16_loops.inc"
#include "isa.hpp"

void widen(const uint16_t *x, float *y, int64_t n) { PICK(widen_run)(x, y, n); }

void round_to(const float *x, uint16_t *y, int64_t n) { PICK(round_run)(x, y, n); }

Walk::Walk(const gc_io &io) : inputs(io.n_in), n(io.n_in + io.n_out) {
  if (n > most) throw Unsupported("so many tensors");
  for (int i = 0; i < n; i++) {
    const gc_desc &d = i < inputs ? io.in[i] : io.out[i - inputs];
    narrow[i] = d.dtype == GC_BF16;
    if (narrow[i]) rooms++;
  }
}

#endif
