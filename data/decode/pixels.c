#include "pixels.h"

// A product and a sum stay two roundings, as in Go.
#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
// The widest vectors that the processor has are chosen when the program starts.
#define VECTOR __attribute__((optimize("O3", "fp-contract=off"), target_clones("avx2", "default")))
#define INLINE static inline __attribute__((always_inline, optimize("O3", "fp-contract=off")))
#else
#define VECTOR
#define INLINE static inline
#endif

INLINE void stretch(int32_t *restrict out, const uint8_t *restrict row, const pixels_tap *restrict taps, int n, int size, int channels) {
	for (int i = 0; i < n; i++) {
		intptr_t next = taps[i].at + 1 < size ? taps[i].at + 1 : size - 1;
		const uint8_t *a = row + taps[i].at * channels, *b = row + next * channels;
		for (int c = 0; c < channels; c++) out[i * channels + c] = a[c] * taps[i].w0 + b[c] * taps[i].w1;
	}
}

VECTOR void pixels_stretch(int32_t *out, const uint8_t *row, const pixels_tap *taps, int n, int size, int channels) {
	switch (channels) {
	case 1: stretch(out, row, taps, n, size, 1); break;
	case 3: stretch(out, row, taps, n, size, 3); break;
	default: stretch(out, row, taps, n, size, channels);
	}
}

VECTOR void pixels_blend(uint8_t *restrict out, const int32_t *restrict top, const int32_t *restrict bottom, int n, int32_t w0, int32_t w1) {
	for (int i = 0; i < n; i++) {
		out[i] = (uint8_t)(((w0 * (top[i] >> 4) >> 16) + (w1 * (bottom[i] >> 4) >> 16) + 2) >> 2);
	}
}

INLINE void place_row(float *restrict out, const uint8_t *restrict in, int n, intptr_t step, float mean, float scale) {
	for (int i = 0; i < n; i++) out[i] = ((float)in[i * step] - mean) * scale;
}

INLINE void place_row_mean(float *restrict out, const uint8_t *restrict in, int n, intptr_t step, const float *restrict mean, float scale) {
	for (int i = 0; i < n; i++) out[i] = ((float)in[i * step] - mean[i]) * scale;
}

INLINE void mirror_row(float *restrict out, const uint8_t *restrict in, int n, intptr_t step, float mean, float scale) {
	for (int i = 0; i < n; i++) out[i] = ((float)in[(n - 1 - i) * step] - mean) * scale;
}

INLINE void mirror_row_mean(float *restrict out, const uint8_t *restrict in, int n, intptr_t step, const float *restrict mean, float scale) {
	for (int i = 0; i < n; i++) out[i] = ((float)in[(n - 1 - i) * step] - mean[n - 1 - i]) * scale;
}

INLINE void place(float *out, const uint8_t *in, int rows, int columns, intptr_t step, intptr_t row_step, const float *mean,
                  intptr_t mean_step, float scale, int reverse) {
	for (int y = 0; y < rows; y++, out += columns, in += row_step) {
		const float *m = mean + y * mean_step;
		if (mean_step && reverse) mirror_row_mean(out, in, columns, step, m, scale);
		else if (mean_step) place_row_mean(out, in, columns, step, m, scale);
		else if (reverse) mirror_row(out, in, columns, step, *mean, scale);
		else place_row(out, in, columns, step, *mean, scale);
	}
}

VECTOR void pixels_place(float *out, const uint8_t *in, int rows, int columns, intptr_t step, intptr_t row_step, const float *mean,
                         intptr_t mean_step, float scale, int reverse) {
	switch (step) {
	case 1: place(out, in, rows, columns, 1, row_step, mean, mean_step, scale, reverse); break;
	case 3: place(out, in, rows, columns, 3, row_step, mean, mean_step, scale, reverse); break;
	default: place(out, in, rows, columns, step, row_step, mean, mean_step, scale, reverse);
	}
}
