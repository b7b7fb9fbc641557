// The few things that the kernels need of CUDA, so that one .cu file compiles
// twice: by clang to PTX, without a CUDA toolkit, and by g++ for the host, where
// the tests' fake driver runs it.
//
// A kernel is a body and a line that names it: THREADS(name, args, body) for one
// that every thread runs on its own, BLOCKS(name, args, body) for one whose
// threads work together. Both export "name" on the device and "host_name" on the
// host. Every kernel takes one struct.
//
// On the host a launch is a loop: over all threads for THREADS, over all blocks
// for BLOCKS. Such a body holds no code of a single thread; what threads do is in
// the functions it gives to Block, each of which ends with a barrier on the
// device and is a loop over the block's threads on the host. Sums are taken in
// the same order on both.
//
// Both builds round every operation (-ffp-contract=off); fma is written where it
// is wanted.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;

// The largest block of a BLOCKS kernel.
#define MAX_THREADS 1024

#if defined(__CUDA__)

#define DEV static __attribute__((device)) inline __attribute__((always_inline))
#define METHOD static __attribute__((device)) inline __attribute__((always_inline))
#define SHARED static __attribute__((device)) __attribute__((shared))
#define GLOBAL extern "C" __attribute__((global))

DEV u32 tid() { return __nvvm_read_ptx_sreg_tid_x(); }
DEV u32 block_size() { return __nvvm_read_ptx_sreg_ntid_x(); }
DEV u32 block_index() { return __nvvm_read_ptx_sreg_ctaid_x(); }
DEV u32 block_count() { return __nvvm_read_ptx_sreg_nctaid_x(); }
DEV void barrier() { __syncthreads(); }
DEV u32 mul_high(u32 a, u32 b) { return (u32)(((u64)a * b) >> 32); }
DEV void atomic_add(i32 *p, i32 v) { __nvvm_atom_add_gen_i(p, v); }
DEV void atomic_max(i32 *p, i32 v) { __nvvm_atom_max_gen_i(p, v); }
DEV void atomic_min(u64 *p, u64 v) { __nvvm_atom_min_gen_ull((unsigned long long *)p, v); }

#define THREADS(name, A, ...) \
  GLOBAL __attribute__((launch_bounds(256))) void name(const A a) { __VA_ARGS__(a); }
#define BLOCKS(name, A, ...) \
  GLOBAL __attribute__((launch_bounds(MAX_THREADS))) void name(const A a) { __VA_ARGS__(a); }

#else

struct Place {
  u32 tid, block_size, block_index, block_count;
};
static thread_local Place place;

#define DEV static inline
#define METHOD static inline
#define SHARED static thread_local

DEV u32 tid() { return place.tid; }
DEV u32 block_size() { return place.block_size; }
DEV u32 block_index() { return place.block_index; }
DEV u32 block_count() { return place.block_count; }
DEV u32 mul_high(u32 a, u32 b) { return (u32)(((u64)a * b) >> 32); }
DEV void atomic_add(i32 *p, i32 v) { *p += v; }
DEV void atomic_max(i32 *p, i32 v) { *p = *p > v ? *p : v; }
DEV void atomic_min(u64 *p, u64 v) { *p = *p < v ? *p : v; }

#define HOST_KERNEL(name, A, threads, ...)                                          \
  extern "C" void host_##name(const void *args, u32 gx, u32, u32, u32 bx, u32, u32, \
                              u32) {                                                \
    const A &a = *(const A *)args;                                                  \
    place.block_size = bx, place.block_count = gx;                                  \
    for (u32 b = 0; b < gx; b++)                                                    \
      for (u32 t = 0; t < (threads); t++) {                                         \
        place.block_index = b, place.tid = t;                                       \
        __VA_ARGS__(a);                                                             \
      }                                                                             \
  }
#define THREADS(name, A, ...) HOST_KERNEL(name, A, bx, __VA_ARGS__)
#define BLOCKS(name, A, ...) HOST_KERNEL(name, A, 1, __VA_ARGS__)

#endif

// ---- bits and types

DEV u32 bits_of(float f) {
  union { float f; u32 u; } x;
  x.f = f;
  return x.u;
}

DEV float float_of(u32 u) {
  union { u32 u; float f; } x;
  x.u = u;
  return x.f;
}

#define INF (float_of(0x7f800000u))
#define NOT_A_NUMBER (float_of(0x7fc00000u))
#define MOST (float_of(0x7f7fffffu))  // FLT_MAX
#define LEAST (float_of(0x00800000u)) // FLT_MIN

struct bf16 {
  u16 bits;
};

DEV float value(float v) { return v; }
DEV float value(bf16 v) { return float_of((u32)v.bits << 16); }

// bf16_bits rounds to nearest, ties to even; a NaN stays one.
DEV u32 bf16_bits(float v) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  u16 r;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r) : "f"(v));
  return r;
#else
  u32 u = bits_of(v);
  return v != v ? 0x7fc0u : (u + 0x7fffu + ((u >> 16) & 1)) >> 16;
#endif
}

DEV void put(float *p, float v) { *p = v; }
DEV void put(bf16 *p, float v) { p->bits = (u16)bf16_bits(v); }

// Pack is the 16 bytes that a thread reads or writes at once: N elements.
typedef u32 quad __attribute__((vector_size(16)));
template <class T> struct Pack;

template <> struct Pack<float> {
  static const int N = 4;
  METHOD void load(quad q, float (&v)[4]) {
#pragma unroll
    for (int i = 0; i < 4; i++) v[i] = float_of(q[i]);
  }
  METHOD quad store(const float (&v)[4]) { return quad{bits_of(v[0]), bits_of(v[1]), bits_of(v[2]), bits_of(v[3])}; }
};

template <> struct Pack<bf16> {
  static const int N = 8;
  METHOD void load(quad q, float (&v)[8]) {
#pragma unroll
    for (int i = 0; i < 4; i++) v[2 * i] = float_of(q[i] << 16), v[2 * i + 1] = float_of(q[i] & 0xffff0000u);
  }
  METHOD quad store(const float (&v)[8]) {
    return quad{two(v[0], v[1]), two(v[2], v[3]), two(v[4], v[5]), two(v[6], v[7])};
  }
  METHOD u32 two(float low, float high) { return bf16_bits(low) | bf16_bits(high) << 16; }
};

// Div divides numbers below 2^31 by a constant that the host prepared.
struct Div {
  u32 d, mul, shift;
};

DEV u32 quotient(u32 n, const Div &d) { return (mul_high(n, d.mul) + n) >> d.shift; }

DEV u32 remainder(u32 n, const Div &d) { return n - quotient(n, d) * d.d; }

// first and step are how a thread walks over a grid's elements.
DEV u32 first() { return block_index() * block_size() + tid(); }
DEV u32 step() { return block_count() * block_size(); }

// fail reports bad data: flag is a word of all ones, which keeps the first bad item
// and its value whatever the order of the threads.
DEV void fail(u64 flag, u32 item, float v) { atomic_min((u64 *)flag, (u64)item << 32 | bits_of(v)); }

// truncated is the integer in a label or an index, as Caffe reads it; other where
// int32 does not hold it, as it does not hold NaN.
DEV i32 truncated(float v, i32 other) { return v > -2147483648.0f && v < 2147483648.0f ? (i32)v : other; }

#include "math.h"
#include "block.h"
