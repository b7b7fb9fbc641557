// Compiles the loops of the file LOOPS for each instruction set of the machine's
// kind, one namespace each; PICK(name) is the function for the machine at hand. The
// binary must run on any machine, and one built for AVX-512 alone does not.
// Deliberately without an include guard: once per .cpp file.
//
// The file LOOPS includes nothing and uses no template of the standard library:
// such a template would be compiled for one of the sets and linked for all.

// A file of loops may serve several .cpp files, each using some.
#pragma GCC diagnostic ignored "-Wunused-function"

#include <cfloat>
#include <cmath>
#include <cstring>

// The loops never look at errno, but the compiler decides by its command line, where
// cgo does not allow -fno-math-errno, whether a square root sets it: say it here.
extern "C" float sqrtf(float) noexcept __attribute__((const));

#pragma GCC optimize("O3,no-math-errno,no-trapping-math")

namespace base {
#include "vector_math.inc"
#include LOOPS
}  // namespace base

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx2,fma,prefer-vector-width=256")
namespace avx2 {
#include "vector_math.inc"
#include LOOPS
}  // namespace avx2
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma,prefer-vector-width=512")
namespace avx512 {
#include "vector_math.inc"
#include LOOPS
}  // namespace avx512
#pragma GCC pop_options
#define PICK(f) (isa() == Isa::avx512 ? avx512::f : isa() == Isa::avx2 ? avx2::f : base::f)
#else
#define PICK(f) (base::f)
#endif
