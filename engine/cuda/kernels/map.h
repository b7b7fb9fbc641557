// map is the loop of all elementwise kernels.
#pragma once

// map_each writes f(v, i) to y[i] for i below n, v being the values of the K
// inputs at i. y may be one of them. It is for functions that compute much.
template <class T, int K, class F> DEV void map_each(u64 y, const u64 (&x)[K], u32 from, u32 n, F f) {
  for (u32 i = from + first(); i < n; i += step()) {
    float v[K];
#pragma unroll
    for (int k = 0; k < K; k++) v[k] = value(((const T *)x[k])[i]);
    put((T *)y + i, f(v, i));
  }
}

// map is map_each in pieces of 16 bytes. Tensors begin at multiples of that.
template <class T, int K, class F> DEV void map(u64 y, const u64 (&x)[K], u32 n, F f) {
  typedef Pack<T> P;
  u32 packs = n / P::N;
#pragma unroll 1
  for (u32 i = first(); i < packs; i += step()) {
    float in[K][P::N], out[P::N];
#pragma unroll
    for (int k = 0; k < K; k++) P::load(((const quad *)x[k])[i], in[k]);
#pragma unroll
    for (int j = 0; j < P::N; j++) {
      float v[K];
#pragma unroll
      for (int k = 0; k < K; k++) v[k] = in[k][j];
      out[j] = f(v, i * P::N + j);
    }
    ((quad *)y)[i] = P::store(out);
  }
  map_each<T, K>(y, x, packs * P::N, n, f);
}

// BOTH names a kernel for activations of float32 and of bfloat16.
#define BOTH(how, name, A, body)        \
  how(name##_f32, A, body<float>)       \
  how(name##_bf16, A, body<bf16>)
