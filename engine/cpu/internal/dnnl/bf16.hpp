// How our own loops, which compute in float32, walk tensors that are bfloat16: run by
// run, converted in a buffer that stays in the first-level cache. What bfloat16 saves is
// memory traffic, and that is what these loops wait for.
#ifndef GOCAFFE_DNNL_BF16_HPP
#define GOCAFFE_DNNL_BF16_HPP

#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <algorithm>

// widen converts n elements, round_to rounds them back.
void widen(const uint16_t *x, float *y, int64_t n);
void round_to(const float *x, uint16_t *y, int64_t n);

// Walk is the tensors of an op, as the block has them.
class Walk {
 public:
  explicit Walk(const gc_io &io);

  // read runs f(p, s) on the run of s × lanes elements at offset at of every tensor, or
  // on pieces of it of whole lanes; p[i] is where tensor i has its elements as float32.
  // Only inputs have values.
  template <class F>
  void read(void *const *b, int64_t at, int64_t s, int64_t lanes, F f) const {
    pieces(b, at, s, lanes, f, false);
  }

  // each is read for loops that write: what f leaves at the outputs is stored.
  template <class F>
  void each(void *const *b, int64_t at, int64_t s, int64_t lanes, F f) const {
    pieces(b, at, s, lanes, f, true);
  }

 private:
  static constexpr int most = 9;  // of BatchNormScaleGrad
  static constexpr int64_t room = 1024;

  template <class F>
  void pieces(void *const *b, int64_t at, int64_t s, int64_t lanes, F f, bool write) const {
    float *p[most];
    if (rooms == 0) {
      for (int i = 0; i < n; i++) p[i] = f32(b, i) + at;
      return f(p, s);
    }
    const int64_t step = std::max<int64_t>(1, room / lanes), size = std::max(room, lanes);
    alignas(64) float small[most * room];
    std::vector<float> large(lanes > room ? rooms * size : 0);
    for (int64_t from = 0; from < s; from += step) {
      const int64_t m = std::min(step, s - from), start = at + from * lanes;
      float *next = lanes > room ? large.data() : small;
      for (int i = 0; i < n; i++) {
        p[i] = narrow[i] ? next : f32(b, i) + start;
        if (!narrow[i]) continue;
        next += size;
        if (i < inputs) widen(static_cast<const uint16_t *>(b[i]) + start, p[i], m * lanes);
      }
      f(p, m);
      for (int i = inputs; write && i < n; i++)
        if (narrow[i]) round_to(p[i], static_cast<uint16_t *>(b[i]) + start, m * lanes);
    }
  }

  int inputs, n, rooms = 0;
  bool narrow[most] = {};
};

#endif
#endif
