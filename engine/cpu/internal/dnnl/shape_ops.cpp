#include "common.hpp"

#ifdef GOCAFFE_HAVE_DNNL

#include <algorithm>

// Reorder is in layout.cpp.

extern "C" gc_kernel *gc_prepare_reshape(gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    plain(io.in[0]);
    plain(io.out[0]);
    same_type(io.in[0], io.out[0]);
    const int64_t bytes = elements(io.in[0]) * element_size(io.in[0]);
    const int threads = io.threads;
    return loop([=](void *const *b) {
      if (b[0] != b[1]) gc_copy(b[1], b[0], bytes, threads);
    });
  });
}

extern "C" gc_kernel *gc_prepare_fill(float value, gc_io io, gc_error *err) {
  return prepare(io, err, [&] {
    if (io.out[0].dtype != GC_F32) throw Unsupported("filling other than float32");
    const int64_t n = elements(io.out[0]);
    const bool tail = value != 0 && has_tail(io.out[0]);
    const Channels v = tail ? channels(io.out[0]) : Channels{0, 1, 0, 1};
    return loop([=](void *const *b) {
      split(n, [&](int64_t i, int64_t to) { std::fill(f32(b, 0) + i, f32(b, 0) + to, value); });
      zero_tail(f32(b, 0), v);
    });
  });
}

#endif
