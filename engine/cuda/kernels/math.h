// exp, log, pow and their kin in float32, without libdevice: within a few units
// in the last place on the whole range, subnormals included. The coefficients are
// of Taylor's series and of the minimax polynomials in Moshier's public Cephes.
#pragma once

DEV float fma32(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
DEV float sqrt32(float x) { return __builtin_sqrtf(x); }
DEV float abs32(float x) { return __builtin_fabsf(x); }
DEV float floor32(float x) { return __builtin_floorf(x); }
DEV float ceil32(float x) { return __builtin_ceilf(x); }
DEV float trunc32(float x) { return __builtin_truncf(x); }
DEV float min32(float a, float b) { return a < b ? a : b; }
DEV float max32(float a, float b) { return a > b ? a : b; }
DEV i32 least(i32 a, i32 b) { return a < b ? a : b; }
DEV i32 most(i32 a, i32 b) { return a > b ? a : b; }
// larger and smaller keep NaN, as Go's max and min do.
DEV float larger(float a, float b) { return a != a ? a : b != b ? b : a > b ? a : b; }
DEV float smaller(float a, float b) { return a != a ? a : b != b ? b : a < b ? a : b; }
// round32 rounds halves away from zero.
DEV float round32(float x) {
  float t = trunc32(x);
  return abs32(x - t) >= 0.5f ? t + (x > 0 ? 1.0f : -1.0f) : t;
}

// power2 is 2^n for −126 ≤ n ≤ 127.
DEV float power2(i32 n) { return float_of((u32)(n + 127) << 23); }

// exp_pair is exp(x + low) for a small low.
DEV float exp_pair(float x, float low) {
  if (x != x) return x;
  if (x > 88.8f) return INF;
  if (x < -104.0f) return 0;
  float n = floor32(fma32(x, 1.44269504f, 0.5f));
  float r = fma32(n, -0.693359375f, x); // ln 2 in two parts, the first short
  r = fma32(n, 2.12194440e-4f, r) + low;
  float p = 1.9841270e-4f;
  p = fma32(p, r, 1.3888889e-3f);
  p = fma32(p, r, 8.3333333e-3f);
  p = fma32(p, r, 4.1666667e-2f);
  p = fma32(p, r, 1.6666667e-1f);
  p = fma32(p, r, 0.5f);
  p = fma32(p * r, r, r) + 1.0f;
  i32 e = (i32)n, half = e / 2; // two factors: 2^n itself may be out of range
  return p * power2(half) * power2(e - half);
}

DEV float exp32(float x) { return exp_pair(x, 0); }

// split writes a positive finite x as m·2^e with m in [√½, √2).
DEV float split(float x, i32 *e) {
  i32 shift = 0;
  if (x < LEAST) x *= 8388608.0f, shift = -23;
  u32 u = bits_of(x);
  u32 from = u - 0x3f3504f3u; // √½
  *e = ((i32)from >> 23) + shift;
  return float_of((from & 0x007fffffu) + 0x3f3504f3u);
}

// log_pair is ln x in two parts, for a positive finite x.
DEV float log_pair(float x, float *low) {
  i32 e;
  float m = split(x, &e);
  float f = m - 1.0f, t = m + 1.0f, t_low = m - (t - 1.0f);
  float s = f / t; // ln m = 2·atanh(s)
  float s_low = (fma32(-s, t, f) - s * t_low) / t;
  float z = s * s;
  float p = 0.22222222f;
  p = fma32(p, z, 0.28571429f);
  p = fma32(p, z, 0.4f);
  p = fma32(p, z, 0.66666667f);
  float tail = fma32(p * z, s, 2.0f * s_low);
  float n = (float)e, high = n * 0.693359375f; // exact
  tail = fma32(n, -2.12194440e-4f, tail);
  float sum = high + 2.0f * s;
  float back = sum - high;
  tail += (high - (sum - back)) + (2.0f * s - back);
  float y = sum + tail;
  *low = (sum - y) + tail;
  return y;
}

DEV float log32(float x) {
  if (x != x || x < 0) return NOT_A_NUMBER;
  if (x == 0) return -INF;
  if (x == INF) return INF;
  float low;
  return log_pair(x, &low);
}

DEV float tanh32(float x) {
  float a = abs32(x);
  if (a < 0.625f) {
    float z = x * x;
    float p = -5.70498872745e-3f;
    p = fma32(p, z, 2.06390887954e-2f);
    p = fma32(p, z, -5.37397155531e-2f);
    p = fma32(p, z, 1.33314422036e-1f);
    p = fma32(p, z, -3.33332819422e-1f);
    return fma32(p * z, x, x);
  }
  float y = 1.0f - 2.0f / (exp32(2.0f * a) + 1.0f);
  return x < 0 ? -y : x != x ? x : y;
}

// sigmoid is 1/(1 + exp(−x)) without overflow.
DEV float sigmoid(float x) { return 1.0f / (1.0f + exp32(-x)); }

// expm1 is exp(x) − 1, also where x is near 0 (Kahan's form).
DEV float expm1_32(float x) {
  float u = exp32(x);
  if (u == 1.0f) return x;
  float m = u - 1.0f;
  if (m == -1.0f || u == INF) return m;
  return m * x / log32(u);
}

// log1p is ln(1 + x), also where x is near 0.
DEV float log1p_32(float x) {
  float u = 1.0f + x;
  if (u == 1.0f) return x;
  return u == INF ? u : log32(u) * x / (u - 1.0f);
}

// pow_positive is x^a for a positive finite x and a finite a.
DEV float pow_positive(float x, float a) {
  float low, high = log_pair(x, &low);
  float p = a * high;
  if (!(abs32(p) < 200.0f)) return p > 0 ? INF : 0;
  return exp_pair(p, fma32(a, low, fma32(a, high, -p)));
}

// pow32 is x^a with C's special cases.
DEV float pow32(float x, float a) {
  if (a == 0 || x == 1.0f) return 1.0f;
  if (x != x || a != a) return NOT_A_NUMBER;
  bool integer = trunc32(a) == a;
  bool odd = integer && abs32(a) < 16777216.0f && ((i32)a & 1);
  bool negative = (bits_of(x) >> 31) != 0;
  float sign = negative && odd ? -1.0f : 1.0f;
  float m = abs32(x);
  if (abs32(a) == INF) return m == 1.0f ? 1.0f : (m > 1.0f) == (a > 0) ? INF : 0;
  if (m == 0) return a < 0 ? sign * INF : sign * 0.0f;
  if (m == INF) return a < 0 ? sign * 0.0f : sign * INF;
  if (negative && !integer) return NOT_A_NUMBER;
  return sign * pow_positive(m, a);
}
