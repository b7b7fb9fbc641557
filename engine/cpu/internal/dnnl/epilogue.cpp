#include "channelwise.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <algorithm>

#define LOOPS "channelwise_loops.inc"
#include "isa.hpp"

namespace {

// Finished is a kernel followed by one pass over its output: what the primitive could
// not do on the way.
struct Finished final : gc_kernel {
  Finished(std::unique_ptr<gc_kernel> k, const gc_epilogue &e, const gc_io &io)
      : inner(std::move(k)), spans(channels(io.out[0])), e(e), tail(has_tail(io.out[0])), out(io.n_in), slope(e.relu ? e.slope : 1.f) {
    if (io.out[0].dtype != GC_F32) throw Unsupported("an epilogue in a pass of its own over other than float32");
    if (e.bias) bias = 2;
    if (e.add) same_layout(io.in[add = 2 + e.bias], io.out[0]);
    scratch = (inner->workspace + 63) / 64 * 64;
    workspace = scratch + spans.padded() * 4;
  }

  void run(void *const *b) override {
    inner->threads = threads;
    inner->run(b);
    float *shift = reinterpret_cast<float *>(static_cast<char *>(b[out + 1]) + scratch);
    std::fill(shift, shift + spans.padded(), 0.f);
    if (bias >= 0) std::copy(f32(b, bias), f32(b, bias) + spans.v.c, shift);
    const auto f = PICK(finish);
    spans.each([&](int64_t at, int64_t c) {
      f(f32(b, out) + at, add >= 0 ? f32(b, add) + at : nullptr, spans.s, spans.lanes, shift + c, slope);
      if (e.clip) clip(f32(b, out) + at, spans.s * spans.lanes);
    });
    if (e.clip && tail) zero_tail(f32(b, out), spans.v);
  }

  const char *implementation() const override { return inner->implementation(); }

  void clip(float *y, int64_t n) const {
    for (int64_t i = 0; i < n; i++) y[i] = std::min(std::max(y[i], e.low), e.high);
  }

  std::unique_ptr<gc_kernel> inner;
  Spans spans;
  gc_epilogue e;
  bool tail;
  int bias = -1, add = -1, out;
  float slope;
  int64_t scratch;
};

}  // namespace

gc_kernel *finished(gc_kernel *inner, const gc_epilogue &e, const gc_io &io) {
  return new Finished(std::unique_ptr<gc_kernel>(inner), e, io);
}

#endif
