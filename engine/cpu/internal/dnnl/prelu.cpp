#include "bf16.hpp"
#include "channelwise.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#define LOOPS "channelwise_loops.inc"
#include "isa.hpp"

namespace {

// Slopes spreads the slopes over all lanes, 0 for padding.
struct Slopes {
  Slopes(const gc_desc &x, const gc_desc &slope) : spans(channels(x)), shared(count(slope) == 1) { plain(slope); }
  Spans spans;
  bool shared;
  void spread(const float *slope, float *to) const {
    std::fill(to, to + spans.padded(), 0.f);
    for (int64_t c = 0; c < spans.v.c; c++) to[c] = slope[shared ? 0 : c];
  }
};

gc_kernel *forward(const gc_io &io) {
  alike(io.in[0], io.out[0]);
  const Walk w(io);
  const Slopes p(io.in[0], io.in[1]);
  const auto f = PICK(prelu);
  gc_kernel *k = loop([=](void *const *b) {
    float *a = f32(b, 3);
    p.spread(f32(b, 1), a);
    p.spans.each([&](int64_t at, int64_t c) {
      w.each(b, at, p.spans.s, p.spans.lanes, [&](float *const *q, int64_t m) { f(q[0], q[0], q[2], m, p.spans.lanes, a + c); });
    });
  });
  k->workspace = p.spans.padded() * 4;
  return k;
}

gc_kernel *backward(const gc_io &io) {
  alike(io.in[0], io.in[1]);
  const bool dx = io.out[0].dtype != GC_NONE, dslope = io.out[1].dtype != GC_NONE;
  if (dx) alike(io.in[0], io.out[0]);
  const Walk w(io);
  if (dslope) plain(io.out[1]);
  const Slopes p(io.in[0], io.in[2]);
  const auto data = PICK(prelu);
  const auto sum = PICK(sum_negative);
  gc_kernel *k = loop([=](void *const *b) {
    if (dslope) {  // before dx, which may be dy's memory
      float *ds = f32(b, 4);
      double all = 0;
      p.spans.sums([&](int64_t at, int64_t, int64_t s, double *to) {
                     w.read(b, at, s, p.spans.lanes, [&](float *const *q, int64_t m) { sum(q[1], q[0], nullptr, m, p.spans.lanes, to); });
                   },
                   [&](int64_t c, double v) { p.shared ? void(all += v) : void(ds[c] = static_cast<float>(v)); });
      if (p.shared) *ds = static_cast<float>(all);
    }
    if (!dx) return;
    float *a = f32(b, 5);
    p.spread(f32(b, 2), a);
    p.spans.each([&](int64_t at, int64_t c) {
      w.each(b, at, p.spans.s, p.spans.lanes, [&](float *const *q, int64_t m) { data(q[1], q[0], q[3], m, p.spans.lanes, a + c); });
    });
  });
  k->workspace = p.spans.padded() * 4;
  return k;
}

}  // namespace

extern "C" gc_kernel *gc_prepare_prelu(gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return forward(io); });
}

extern "C" gc_kernel *gc_prepare_prelu_grad(gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return backward(io); });
}

#endif
