#include "bf16.hpp"
#include "channelwise.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <numeric>

#define LOOPS "channelwise_loops.inc"
#include "isa.hpp"

namespace {

enum Fn { Mul, Add };  // engine.BroadcastFn

// view is x seen by the axes that s has. A scalar's is one channel, whose memory may
// be in any layout.
Channels view(const gc_desc &x, int axis, int rank) {
  if (rank == 0) return {1, 1, elements(x), 1};
  if (x.tag != 0 && axis == 1 && rank == 1) return channels(x);
  return middle(x, axis, rank);
}

gc_kernel *broadcast(int fn, int axis, const gc_io &io) {
  const gc_desc &x = io.in[0], &s = io.in[1];
  alike(x, io.out[0]);
  plain(s);
  const Walk w(io);
  const bool narrow = io.out[0].dtype == GC_BF16;
  const bool scalar = s.rank == 0 || (count(s) == 1 && x.tag != 0 && !(axis == 1 && s.rank == 1));
  const Channels v = view(x, axis, scalar ? 0 : s.rank);
  const bool tail = fn == Add && scalar && has_tail(x);
  const Channels all = tail ? channels(x) : v;
  const Spans spans(v);
  const auto f = PICK(affine);
  const int64_t padded = spans.padded();
  gc_kernel *k = loop([=](void *const *b) {
    // Coefficients of padding are 0: it stays 0.
    float *zero = f32(b, 3), *mul = zero + padded, *add = mul + padded;
    std::fill(zero, zero + 3 * padded, 0.f);
    for (int64_t c = 0; c < v.c; c++) {
      mul[c] = fn == Mul ? f32(b, 1)[c] : 1;
      add[c] = fn == Mul ? 0 : f32(b, 1)[c];
    }
    const auto run = [&](int64_t at, int64_t s, int64_t lanes, int64_t c) {
      w.each(b, at, s, lanes, [&](float *const *p, int64_t m) { f(p[0], p[2], m, lanes, zero + c, mul + c, add + c); });
    };
    if (scalar) return split(v.s, [&](int64_t i, int64_t to) { run(i, to - i, 1, 0); });
    spans.each([&](int64_t at, int64_t c) { run(at, spans.s, spans.lanes, c); });
  });
  k->workspace = 3 * padded * 4;
  if (!tail) return k;
  // Adding a scalar makes padding nonzero.
  std::shared_ptr<gc_kernel> inner(k);
  gc_kernel *whole = loop([=](void *const *b) {
    inner->run(b);
    zero_tail(b[2], all, narrow);
  });
  whole->workspace = k->workspace;
  return whole;
}

gc_kernel *broadcast_grad(int fn, int axis, int rank, const gc_io &io) {
  const gc_desc &dy = io.in[0];
  if (fn == Mul) alike(dy, io.in[1]);
  plain(io.out[0]);
  const Walk w(io);
  const int second = fn == Mul ? 1 : 0;
  const Channels v = view(dy, axis, rank);
  const auto f = fn == Mul ? PICK(sum_product) : PICK(sum_plain);
  const int out = io.n_in;
  if (rank == 0) {
    // One channel: threads share its elements in fixed pieces.
    const int64_t piece = 1 << 14;
    const Spans spans({(v.s + piece - 1) / piece, 1, piece, 1});
    return loop([=](void *const *b) {
      std::vector<double> sum(spans.v.n, 0.0);
      split_items(spans.v.n, v.s, [&](int64_t i) {
        w.read(b, i * piece, std::min(piece, v.s - i * piece), 1, [&](float *const *p, int64_t m) { f(p[0], p[second], nullptr, m, 1, &sum[i]); });
      });
      *f32(b, out) = static_cast<float>(std::accumulate(sum.begin(), sum.end(), 0.0));
    });
  }
  const Spans spans(v);
  return loop([=](void *const *b) {
    float *ds = f32(b, out);
    spans.sums([&](int64_t at, int64_t, int64_t s, double *to) {
                 w.read(b, at, s, spans.lanes, [&](float *const *p, int64_t m) { f(p[0], p[second], nullptr, m, spans.lanes, to); });
               },
               [&](int64_t c, double sum) { ds[c] = static_cast<float>(sum); });
  });
}

}  // namespace

extern "C" gc_kernel *gc_prepare_broadcast(int fn, int axis, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return broadcast(fn, axis, io); });
}

extern "C" gc_kernel *gc_prepare_broadcast_grad(int fn, int axis, int rank, gc_io io, gc_error *err) {
  return prepare(io, err, [&] { return broadcast_grad(fn, axis, rank, io); });
}

#endif
