#include "dev.h"
#include "map.h"

// EpilogueArgs: what a product or convolution is biased with, in place. bias
// has a value a channel, which is (i / inner) mod channels.
struct EpilogueArgs {
  u64 y, bias, add;
  Div inner, channels;
  u32 n, relu;
  float slope;
};

DEV float biased(const EpilogueArgs &a, float s, u32 i) {
  if (a.bias) s += ((const float *)a.bias)[remainder(quotient(i, a.inner), a.channels)];
  return s;
}

DEV float activated(const EpilogueArgs &a, float s) { return a.relu ? larger(s, 0) + a.slope * smaller(s, 0) : s; }

template <class T> DEV void epilogue(const EpilogueArgs &a) {
  if (a.add)
    map<T, 2>(a.y, {a.y, a.add}, a.n, [&](const float(&v)[2], u32 i) { return activated(a, biased(a, v[0], i) + v[1]); });
  else
    map<T, 1>(a.y, {a.y}, a.n, [&](const float(&v)[1], u32 i) { return activated(a, biased(a, v[0], i)); });
}
BOTH(THREADS, epilogue, EpilogueArgs, epilogue)
