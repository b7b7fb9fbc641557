// Loops over pixels that a compiler turns into vector code. pixels_nocgo.go has
// the same in Go, and the test compares the two bit for bit.
#pragma once
#include <stdint.h>

// pixels_tap is resize.go's tap: an output pixel is w0 times the input pixel at
// index at plus w1 times the next one.
typedef struct {
	intptr_t at;
	int32_t w0, w1;
} pixels_tap;

// pixels_stretch resizes a row of size pixels to n.
void pixels_stretch(int32_t *out, const uint8_t *row, const pixels_tap *taps, int n, int size, int channels);

// pixels_blend weighs two stretched rows.
void pixels_blend(uint8_t *out, const int32_t *top, const int32_t *bottom, int n, int32_t w0, int32_t w1);

// pixels_place writes rows x columns values (byte - mean) * scale of one channel.
// The bytes of a row are step apart, row_step from row to row. A mean image has
// mean_step values from row to row; without one mean is a single value. Reverse
// mirrors the rows.
void pixels_place(float *out, const uint8_t *in, int rows, int columns, intptr_t step, intptr_t row_step, const float *mean,
                  intptr_t mean_step, float scale, int reverse);
