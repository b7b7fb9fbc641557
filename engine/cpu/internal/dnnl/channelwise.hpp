// Walking a tensor channel by channel, for broadcast.cpp, prelu.cpp and the batchnorm files.
#ifndef GOCAFFE_DNNL_CHANNELWISE_HPP
#define GOCAFFE_DNNL_CHANNELWISE_HPP

#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <algorithm>

// Spans cuts the memory of a Channels view into runs that have the same channels all
// along: lanes channels side by side, s times.
struct Spans {
  explicit Spans(const Channels &v) : v(v) {
    // A run of one channel is too short where channels follow each other directly.
    dense = v.s == 1 && v.block == 1;
    lanes = dense ? v.c : v.block;
    groups = dense ? 1 : v.blocks();
    s = dense ? 1 : v.s;
  }
  Channels v;
  bool dense;
  int64_t lanes, groups, s;

  int64_t size() const { return s * lanes; }
  int64_t total() const { return v.n * groups * size(); }

  // padded is the number of channels with padding: of coefficients that spans read.
  int64_t padded() const { return groups * lanes; }

  // each runs f(offset, first channel) on every span.
  template <class F>
  void each(F f) const {
    split_items(v.n * groups, total(), [&](int64_t i) {
      f(i * size(), i % groups * lanes);
    });
  }

  // sums adds up, for every channel c, what add(offset, first channel, s, to) adds to
  // to[0 … lanes) for its spans, and calls done(c, sum). Threads share the channels, or
  // where there are too few of those the items, in an order that is always the same.
  template <class Add, class Done>
  void sums(Add add, Done done) const {
    const int64_t all = padded();
    const int64_t parts = dense || groups < 8 ? std::min<int64_t>(v.n, 16) : 1;
    std::vector<double> sum(parts * all, 0.0);
    split_items(parts * groups, total(), [&](int64_t i) {
      const int64_t part = i / groups, g = i % groups;
      double *to = sum.data() + part * all + g * lanes;
      for (int64_t n = v.n * part / parts; n < v.n * (part + 1) / parts; n++) add((n * groups + g) * size(), g * lanes, s, to);
    });
    for (int64_t c = 0; c < v.c; c++) {
      double total = 0;
      for (int64_t p = 0; p < parts; p++) total += sum[p * all + c];
      done(c, total);
    }
  }
};

#endif
#endif
