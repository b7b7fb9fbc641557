// The C face of this folder: what Go calls. Every op has one gc_prepare_…
// function that builds a kernel for given tensors; gc_run launches any of them.
// Nothing here throws: errors come back in a gc_error.
#ifndef GOCAFFE_DNNL_SHIM_H
#define GOCAFFE_DNNL_SHIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GC_MAX_RANK = 12, GC_MAX_AXES = 3 };

// What a gc_error says. GC_UNSUPPORTED: there is no kernel for these tensors.
enum { GC_OK, GC_UNSUPPORTED, GC_FAILED, GC_LABEL };

typedef struct {
  int32_t code;
  float label;            // GC_LABEL: the label that is no class,
  int64_t item, classes;  // which entry it is, and how many classes there are
  char text[400];
} gc_error;

// The element types, as engine.DType numbers them.
enum { GC_NONE, GC_F32, GC_I32, GC_BF16 };

// A tensor. tag is oneDNN's format tag, 0 for dense row-major. With groups the tag
// describes the tensor with axis 0 split into groups × rest.
typedef struct {
  int32_t dtype, tag, groups, rank;
  int64_t dim[GC_MAX_RANK];
} gc_desc;

// The tensors of an op, and the number of threads that will run it.
typedef struct {
  int32_t threads, n_in, n_out;
  gc_desc *in, *out;
} gc_io;

// A window over spatial axes, of a convolution or a pooling. dilation is 1 for
// none; out is the number of windows (pooling only).
typedef struct {
  int32_t axes, groups;
  int64_t kernel[GC_MAX_AXES], stride[GC_MAX_AXES], pad[GC_MAX_AXES], dilation[GC_MAX_AXES], out[GC_MAX_AXES];
} gc_window;

typedef struct {
  int32_t bias, add, relu, clip;
  float slope, low, high;
} gc_epilogue;

typedef struct gc_kernel gc_kernel;

// The library (load.cpp). gc_load returns NULL, or why there is no oneDNN.
const char *gc_load(void);
const char *gc_library_path(void);
const char *gc_openmp_path(void);
void gc_version(int *major, int *minor, int *patch);
// gc_has_bf16 reports whether the processor multiplies bfloat16 at more than float32's rate.
int gc_has_bf16(void);

// Memory (load.cpp), aligned to 64 bytes; NULL when there is none left.
// gc_is_zero reports whether gc_alloc gives so many bytes cleared.
void *gc_alloc(int64_t bytes);
int gc_is_zero(int64_t bytes);
void gc_free(void *p, int64_t bytes);
void gc_zero(void *p, int64_t bytes, int threads);
void gc_copy(void *dst, const void *src, int64_t bytes, int threads);

// Layouts (layout.cpp). gc_bytes is negative for a tag that does not fit the shape.
int64_t gc_bytes(const gc_desc *d);
const char *gc_tag_name(int tag);
// gc_channel_block is the block of channels (axis 1) of a layout of activations: 1
// for plain and channels-last, 0 for a layout that is none.
int gc_channel_block(const gc_desc *d);

// Kernels (kernel.cpp). block holds the addresses of inputs, outputs and workspace,
// in this order. gc_run returns the error's code; gc_kernel_error is the error.
int gc_run(gc_kernel *k, void *const *block);
int64_t gc_workspace(const gc_kernel *k);
const gc_error *gc_kernel_error(const gc_kernel *k);
const char *gc_implementation(const gc_kernel *k);
void gc_kernel_free(gc_kernel *k);

// The ops. Attributes are those of the op of this name in package engine; a method
// or function is numbered as there.
enum { GC_CONV, GC_CONV_GRAD_DATA, GC_CONV_GRAD_WEIGHTS };
gc_kernel *gc_prepare_conv(int which, const gc_window *w, const gc_epilogue *e, gc_io io, gc_error *err);
// gc_prefer_conv overwrites the layouts of io's tensors by those that oneDNN prefers.
int gc_prefer_conv(int which, const gc_window *w, gc_io io, gc_error *err);

gc_kernel *gc_prepare_gemm(int trans_a, int trans_b, const gc_epilogue *e, gc_io io, gc_error *err);
gc_kernel *gc_prepare_unary(int fn, float a, float b, float c, gc_io io, gc_error *err);
gc_kernel *gc_prepare_unary_grad(int fn, int reads_output, float a, float b, float c, gc_io io, gc_error *err);
gc_kernel *gc_prepare_pool(int method, int mask, const gc_window *w, gc_io io, gc_error *err);
gc_kernel *gc_prepare_pool_grad(int method, int mask, const gc_window *w, gc_io io, gc_error *err);
gc_kernel *gc_prepare_reorder(gc_io io, gc_error *err);
gc_kernel *gc_prepare_reshape(gc_io io, gc_error *err);
gc_kernel *gc_prepare_fill(float value, gc_io io, gc_error *err);
gc_kernel *gc_prepare_concat(int axis, gc_io io, gc_error *err);
gc_kernel *gc_prepare_slice(int axis, gc_io io, gc_error *err);

typedef struct {
  int32_t axis, has_ignore, ignore, norm;
} gc_loss;
gc_kernel *gc_prepare_softmax(int axis, gc_io io, gc_error *err);
gc_kernel *gc_prepare_softmax_grad(int axis, gc_io io, gc_error *err);
gc_kernel *gc_prepare_softmax_loss(const gc_loss *l, gc_io io, gc_error *err);
gc_kernel *gc_prepare_softmax_loss_grad(const gc_loss *l, gc_io io, gc_error *err);
gc_kernel *gc_prepare_sigmoid_loss(const gc_loss *l, gc_io io, gc_error *err);
gc_kernel *gc_prepare_sigmoid_loss_grad(const gc_loss *l, gc_io io, gc_error *err);

gc_kernel *gc_prepare_binary(int fn, int tie_second, gc_io io, gc_error *err);
gc_kernel *gc_prepare_max_grad(int tie_second, gc_io io, gc_error *err);
gc_kernel *gc_prepare_sum(const float *coeff, int relu, float slope, gc_io io, gc_error *err);
gc_kernel *gc_prepare_broadcast(int fn, int axis, gc_io io, gc_error *err);
gc_kernel *gc_prepare_broadcast_grad(int fn, int axis, int rank, gc_io io, gc_error *err);
gc_kernel *gc_prepare_prelu(gc_io io, gc_error *err);
gc_kernel *gc_prepare_prelu_grad(gc_io io, gc_error *err);
gc_kernel *gc_prepare_reduce(int fn, int axis, float coeff, gc_io io, gc_error *err);
gc_kernel *gc_prepare_reduce_grad(int fn, int axis, float coeff, gc_io io, gc_error *err);

gc_kernel *gc_prepare_batch_norm(float eps, gc_io io, gc_error *err);
gc_kernel *gc_prepare_batch_norm_grad(float eps, gc_io io, gc_error *err);
gc_kernel *gc_prepare_batch_norm_scale(float eps, const gc_epilogue *e, gc_io io, gc_error *err);
gc_kernel *gc_prepare_batch_norm_scale_grad(float eps, int relu, float slope, gc_io io, gc_error *err);
gc_kernel *gc_prepare_normalize(float eps, gc_io io, gc_error *err);
gc_kernel *gc_prepare_normalize_grad(float eps, gc_io io, gc_error *err);
gc_kernel *gc_prepare_moving_stats(gc_io io, gc_error *err);
gc_kernel *gc_prepare_moving_update(float fraction, int64_t count, gc_io io, gc_error *err);

typedef struct {
  int64_t size;
  float alpha, beta, k;
} gc_lrn;
gc_kernel *gc_prepare_lrn(const gc_lrn *l, gc_io io, gc_error *err);
gc_kernel *gc_prepare_lrn_grad(const gc_lrn *l, gc_io io, gc_error *err);

// hyper is the index of each entry of the hyper tensor, as engine's Hyper… constants.
typedef struct {
  int32_t rule, l1, keep_step, hyper_rate, hyper_scale, hyper_correction, hyper_clip;
  float rate, decay, momentum, momentum2, rms_decay, delta;
} gc_update;
gc_kernel *gc_prepare_update(const gc_update *u, gc_io io, gc_error *err);

#ifdef __cplusplus
}
#endif
#endif
