// Block is what the threads of a block do together, Alone the same for a thread
// that does all by itself: a body that folds rows is a template over the two.
#pragma once

// The shared memory of a block: the first words are fold's, the others a body's
// own. It is one array because clang orders several as it likes.
#define FOLD_WORDS 128
#define OWN_WORDS 1056
SHARED __attribute__((aligned(16))) u32 shared_words[FOLD_WORDS + OWN_WORDS];

// own_memory is room for n elements that the threads of a block share.
template <class V, u32 n> DEV V *own_memory() {
  static_assert(n * sizeof(V) <= OWN_WORDS * 4, "more than OWN_WORDS");
  return (V *)(shared_words + FOLD_WORDS);
}

struct Alone {
  METHOD u32 first() { return ::first(); }
  METHOD u32 step() { return ::step(); }

  template <class F> METHOD void each(u32 n, F f) {
    for (u32 i = 0; i < n; i++) f(i);
  }

  template <class V, class F, class Op> METHOD V fold(u32 n, V zero, F f, Op op) {
    V v = zero;
    for (u32 i = 0; i < n; i++) v = op(v, f(i));
    return v;
  }
};

// Block's number of threads is a multiple of 32, MAX_THREADS at most.
struct Block {
  METHOD u32 first() { return block_index(); }
  METHOD u32 step() { return block_count(); }

#if defined(__CUDA__)
  // each calls f for 0 … n−1; all is done when it returns.
  template <class F> METHOD void each(u32 n, F f) {
    for (u32 i = tid(); i < n; i += block_size()) f(i);
    barrier();
  }

  template <class V> METHOD V shuffle_down(V v, u32 by) {
    union { V v; i32 w[sizeof(V) / 4]; } x;
    x.v = v;
#pragma unroll
    for (u32 i = 0; i < sizeof(V) / 4; i++) x.w[i] = __nvvm_shfl_sync_down_i32(0xffffffffu, x.w[i], by, 31);
    return x.v;
  }

  // fold combines f(0) … f(n−1), always in the same order; every thread gets it.
  template <class V, class F, class Op> METHOD V fold(u32 n, V zero, F f, Op op) {
    static_assert(MAX_THREADS / 32 * sizeof(V) <= FOLD_WORDS * 4, "more than FOLD_WORDS");
    V *part = (V *)shared_words;
    V v = zero;
    for (u32 i = tid(); i < n; i += block_size()) v = op(v, f(i));
#pragma unroll
    for (u32 by = 16; by > 0; by /= 2) v = op(v, shuffle_down(v, by));
    barrier(); // part may be read still, by the fold before
    if (tid() % 32 == 0) part[tid() / 32] = v;
    barrier();
    v = part[0];
    for (u32 w = 1; w < block_size() / 32; w++) v = op(v, part[w]);
    return v;
  }
#else
  template <class F> METHOD void each(u32 n, F f) {
    for (u32 i = 0; i < n; i++) f(i);
  }

  template <class V, class F, class Op> METHOD V fold(u32 n, V zero, F f, Op op) {
    V part[MAX_THREADS];
    u32 threads = block_size();
    for (u32 t = 0; t < threads; t++) {
      part[t] = zero;
      for (u32 i = t; i < n; i += threads) part[t] = op(part[t], f(i));
    }
    V all = zero;
    for (u32 w = 0; w < threads; w += 32) {
      V *lane = part + w;
      for (u32 by = 16; by > 0; by /= 2)
        for (u32 l = 0; l < by; l++) lane[l] = op(lane[l], lane[l + by]);
      all = w == 0 ? lane[0] : op(all, lane[0]);
    }
    return all;
  }
#endif
};

// Two is a pair of sums.
struct Two {
  float a, b;
};

template <class R, class F> DEV float sum(u32 n, F f) {
  return R::template fold<float>(n, 0.0f, f, [](float a, float b) { return a + b; });
}

template <class R, class F> DEV Two sum_two(u32 n, F f) {
  return R::template fold<Two>(n, Two{0, 0}, f, [](Two a, Two b) { return Two{a.a + b.a, a.b + b.b}; });
}

// maximum is −∞ of nothing; NaN wins.
template <class R, class F> DEV float maximum(u32 n, F f) {
  return R::template fold<float>(n, -INF, f, [](float a, float b) { return larger(a, b); });
}

template <class R, class F> DEV u32 count(u32 n, F f) {
  return R::template fold<u32>(n, 0u, [&](u32 i) { return f(i) ? 1u : 0u; }, [](u32 a, u32 b) { return a + b; });
}
