// A convolution on the host, in the three directions, for the fake cuDNN, and what the
// fake cuBLASLt computes with, too.
#ifndef GOCAFFE_FAKE_CONV_H
#define GOCAFFE_FAKE_CONV_H

#include <stdint.h>
#include <stddef.h>

enum { MAX_DIMS = 8, MAX_AXES = 3 };
enum { FAKE_FLOAT = 0, FAKE_BFLOAT16 = 9 }; // cudnnDataType_t

// A tensor of up to MAX_DIMS dimensions at any strides, in elements.
typedef struct {
  int type, rank;
  int64_t dims[MAX_DIMS], strides[MAX_DIMS];
} shape;

// A convolution over up to MAX_AXES spatial axes.
typedef struct {
  int axes, groups;
  int64_t pad[MAX_AXES], stride[MAX_AXES], dilation[MAX_AXES];
} window;

enum { FORWARD, GRAD_DATA, GRAD_WEIGHTS };

int64_t shape_count(const shape *s);
// shape_bytes is the span from the first element to the last, 0 for bad strides.
size_t shape_bytes(const shape *s);
size_t type_bytes(int type);
// shape_overlaps is 1 if two elements have one place.
int shape_overlaps(const shape *s);

// tensor_load is the tensor's values, dense in the order of its dimensions; with tf32
// rounded as the tensor cores round float32. free() it. tensor_store is the way back.
float *tensor_load(const shape *s, const void *at, int tf32);
void tensor_store(const shape *s, void *at, const float *dense);

// window_fits is 1 if the convolution of x by w gives y.
int window_fits(const window *g, const shape *x, const shape *w, const shape *y);

// convolve computes the dense out of dense a and b: y of x and w, dx of dy and w, dw of
// x and dy.
void convolve(int direction, const window *g, const shape *x, const shape *w, const shape *y, const float *a,
              const float *b, float *out);

// tensor_dot is a sum of products, in eight sums at once.
double tensor_dot(const float *a, const float *b, int64_t n);

#endif
