// A fake libcudnn.so.9: the legacy API of convolutions. It refuses what the real one
// refuses, computes on the host when the stream gets there, and makes it seen if a
// caller chose what it should not: algorithms of FFT and Winograd are wrong by a
// thousandth, nondeterministic ones differ from run to run, and arithmetic other than
// FMA rounds to TF32, as it does on an Ampere GPU.
#include "cudnn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __thread char last_error[512];

int refuse(int status, const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(last_error, sizeof last_error, format, list);
  va_end(list);
  return status;
}

size_t cudnnGetVersion(void) { return 91002; }
size_t cudnnGetCudartVersion(void) { return 12090; }

const char *cudnnGetErrorString(int status) {
  switch (status) {
  case OK: return "CUDNN_STATUS_SUCCESS";
  case NOT_INITIALIZED: return "CUDNN_STATUS_NOT_INITIALIZED";
  case BAD_PARAM: return "CUDNN_STATUS_BAD_PARAM";
  case BAD_NULL: return "CUDNN_STATUS_BAD_PARAM_NULL_POINTER";
  case BAD_ALIGNMENT: return "CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER";
  case BAD_NOT_FINALIZED: return "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED";
  case NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
  case EXECUTION_FAILED: return "CUDNN_STATUS_EXECUTION_FAILED";
  }
  return "CUDNN_STATUS_INTERNAL_ERROR";
}

void cudnnGetLastErrorString(char *message, size_t room) {
  snprintf(message, room, "%s", last_error);
  last_error[0] = 0;
}

int handle_ok(const handle *h) { return h && h->magic == MAGIC_HANDLE; }

int cuCtxGetCurrent(void **ctx);

int cudnnCreate(handle **h) {
  INJECTED();
  void *ctx = NULL;
  if (!h) return refuse(BAD_NULL, "cudnnCreate: no place for the handle");
  if (cuCtxGetCurrent(&ctx) || !ctx) return refuse(NOT_INITIALIZED, "cudnnCreate: the thread has no CUDA context");
  *h = calloc(1, sizeof **h);
  (*h)->magic = MAGIC_HANDLE;
  return OK;
}

int cudnnDestroy(handle *h) {
  if (!handle_ok(h)) return refuse(BAD_PARAM, "cudnnDestroy: not a handle");
  h->magic = 0;
  free(h);
  return OK;
}

int cudnnSetStream(handle *h, void *stream) {
  if (!handle_ok(h)) return refuse(BAD_PARAM, "cudnnSetStream: not a handle");
  h->stream = stream;
  return OK;
}

// A descriptor of the legacy API.
typedef struct {
  uint64_t magic;
  int set;
  shape s; // of a tensor or filter
  window g;
  int math, ran;
} descriptor;

enum { MAGIC_TENSOR = 0x74656e73, MAGIC_FILTER = 0x66696c74, MAGIC_CONV = 0x636f6e76 };

static int create(descriptor **d, uint64_t magic) {
  if (!d) return refuse(BAD_NULL, "no place for the descriptor");
  *d = calloc(1, sizeof **d);
  (*d)->magic = magic;
  return OK;
}

static int destroy(descriptor *d, uint64_t magic) {
  if (!d || d->magic != magic) return refuse(BAD_PARAM, "destroying what is no descriptor of this kind");
  d->magic = 0;
  free(d);
  return OK;
}

int cudnnCreateTensorDescriptor(descriptor **d) { return create(d, MAGIC_TENSOR); }
int cudnnCreateFilterDescriptor(descriptor **d) { return create(d, MAGIC_FILTER); }
int cudnnCreateConvolutionDescriptor(descriptor **d) { return create(d, MAGIC_CONV); }
int cudnnDestroyTensorDescriptor(descriptor *d) { return destroy(d, MAGIC_TENSOR); }
int cudnnDestroyFilterDescriptor(descriptor *d) { return destroy(d, MAGIC_FILTER); }
int cudnnDestroyConvolutionDescriptor(descriptor *d) { return destroy(d, MAGIC_CONV); }

static int fill(descriptor *d, uint64_t magic, int type, int rank, const int *dims, const int *strides) {
  if (!d || d->magic != magic || !dims) return refuse(BAD_PARAM, "not a descriptor of this kind, or no dimensions");
  if (rank < 4 || rank > MAX_AXES + 2) return refuse(NOT_SUPPORTED, "%d dimensions", rank);
  if (type != FAKE_FLOAT && type != FAKE_BFLOAT16) return refuse(NOT_SUPPORTED, "data type %d", type);
  shape s = {.type = type, .rank = rank};
  int64_t step = 1;
  for (int i = rank - 1; i >= 0; i--) {
    s.dims[i] = dims[i];
    s.strides[i] = strides ? strides[i] : step;
    step *= dims[i];
    if (dims[i] < 1 || s.strides[i] < 1) return refuse(BAD_PARAM, "dimension %d is %d with stride %d", i, dims[i], (int)s.strides[i]);
  }
  if (shape_overlaps(&s)) return refuse(BAD_PARAM, "elements overlap");
  if (step > 0x7fffffff) return refuse(NOT_SUPPORTED, "a tensor of 2^31 elements or more");
  d->s = s, d->set = 1;
  return OK;
}

int cudnnSetTensorNdDescriptor(descriptor *d, int type, int rank, const int *dims, const int *strides) {
  if (!strides) return refuse(BAD_NULL, "no strides");
  return fill(d, MAGIC_TENSOR, type, rank, dims, strides);
}

int cudnnSetFilterNdDescriptor(descriptor *d, int type, int format, int rank, const int *dims) {
  if (format != 0) return refuse(NOT_SUPPORTED, "filter format %d", format);
  return fill(d, MAGIC_FILTER, type, rank, dims, NULL);
}

int cudnnSetConvolutionNdDescriptor(descriptor *d, int axes, const int *pad, const int *stride, const int *dilation,
                                    int mode, int compute) {
  if (!d || d->magic != MAGIC_CONV || !pad || !stride || !dilation) return refuse(BAD_PARAM, "not a convolution");
  if (axes < 2 || axes > MAX_AXES || mode != 1 || compute != FAKE_FLOAT)
    return refuse(NOT_SUPPORTED, "%d axes, mode %d, compute type %d", axes, mode, compute);
  d->g = (window){.axes = axes, .groups = 1};
  for (int i = 0; i < axes; i++) {
    if (pad[i] < 0 || stride[i] < 1 || dilation[i] < 1)
      return refuse(BAD_PARAM, "axis %d: pad %d, stride %d, dilation %d", i, pad[i], stride[i], dilation[i]);
    d->g.pad[i] = pad[i], d->g.stride[i] = stride[i], d->g.dilation[i] = dilation[i];
  }
  d->set = 1;
  return OK;
}

int cudnnSetConvolutionGroupCount(descriptor *d, int groups) {
  if (!d || d->magic != MAGIC_CONV || !d->set || groups < 1) return refuse(BAD_PARAM, "%d groups", groups);
  d->g.groups = groups;
  return OK;
}

enum { MATH_FMA = 3 };

int cudnnSetConvolutionMathType(descriptor *d, int math) {
  if (!d || d->magic != MAGIC_CONV || !d->set || math < 0 || math > MATH_FMA) return refuse(BAD_PARAM, "math type %d", math);
  d->math = math;
  return OK;
}

// A call for one convolution: its descriptors, in the words of the forward direction.
typedef struct {
  int direction;
  const descriptor *x, *w, *y;
  descriptor *conv;
} call;

static int check(const handle *h, const call *c) {
  if (!handle_ok(h)) return refuse(BAD_PARAM, "not a handle");
  if (!c->x || !c->w || !c->y || !c->conv) return refuse(BAD_NULL, "a descriptor is missing");
  if (c->x->magic != MAGIC_TENSOR || c->y->magic != MAGIC_TENSOR || c->w->magic != MAGIC_FILTER ||
      c->conv->magic != MAGIC_CONV)
    return refuse(BAD_PARAM, "descriptors of the wrong kind, or destroyed");
  if (!c->x->set || !c->w->set || !c->y->set || !c->conv->set) return refuse(BAD_PARAM, "a descriptor was not set");
  if (c->x->s.type != c->w->s.type || c->x->s.type != c->y->s.type) return refuse(NOT_SUPPORTED, "tensors of different types");
  if (!window_fits(&c->conv->g, &c->x->s, &c->w->s, &c->y->s)) return refuse(BAD_PARAM, "x, w and y do not fit the convolution");
  return OK;
}

// What an algorithm is, by direction and number.
typedef struct {
  int offered, deterministic, exact;
  size_t workspace;
} trait;

static trait trait_of(const call *c, int algo) {
  const window *g = &c->conv->g;
  const shape *w = &c->w->s;
  int plain = g->groups == 1 && g->axes == 2 && g->dilation[0] == 1 && g->dilation[1] == 1;
  int winograd = plain && g->stride[0] == 1 && g->stride[1] == 1 && w->dims[2] == 3 && w->dims[3] == 3;
  int fft = plain && g->stride[0] == 1 && g->stride[1] == 1;
  size_t columns = (size_t)(w->dims[1] * g->groups * w->dims[2] * w->dims[3] * c->y->s.dims[2] * c->y->s.dims[3]) * 4;
  size_t some = 4 * (size_t)shape_count(w) + 40;
  static const int forward[][3] = {{1, 1, 1}, {1, 1, 1}, {2, 1, 1}, {0}, {3, 1, 0}, {0}, {4, 1, 0}, {4, 1, 0}};
  static const int data[][3] = {{1, 0, 1}, {1, 1, 1}, {3, 1, 0}, {0}, {4, 1, 0}, {4, 1, 0}};
  static const int filter[][3] = {{1, 0, 1}, {1, 1, 1}, {3, 1, 0}, {1, 0, 1}, {0}, {4, 1, 0}, {0}};
  const int(*table)[3] = c->direction == FORWARD ? forward : c->direction == GRAD_DATA ? data : filter;
  int count = c->direction == FORWARD ? 8 : c->direction == GRAD_DATA ? 6 : 7;
  if (algo < 0 || algo >= count) return (trait){0};
  const int *row = table[algo];
  int offered = row[0] == 1 || (row[0] == 2 && plain) || (row[0] == 3 && fft) || (row[0] == 4 && winograd);
  size_t workspace = row[0] == 1 ? (algo ? some : 0) : row[0] == 2 ? columns : 2 * columns;
  return (trait){offered, row[1], row[2], workspace};
}

// cudnnConvolutionFwdAlgoPerf_t and its like.
typedef struct {
  int algo, status;
  float time;
  size_t memory;
  int determinism, math, reserved[3];
} perf;

enum { MOST_ALGOS = 8 };

// propose lists the inexact and nondeterministic algorithms first: they are the fast ones.
static int propose(const handle *h, const call *c, int room, int *got, perf *list) {
  int bad = check(h, c);
  if (bad) return bad;
  if (room < 1 || !got || !list) return refuse(BAD_PARAM, "no room for the algorithms");
  *got = 0;
  for (int pass = 0; pass < 3; pass++)
    for (int algo = MOST_ALGOS - 1; algo >= 0; algo--) {
      trait t = trait_of(c, algo);
      int rank = !t.offered ? 2 : t.exact && t.deterministic ? 1 : 0;
      if (rank != pass || *got == room || (!t.offered && algo != 3)) continue;
      list[(*got)++] = (perf){.algo = algo, .status = t.offered ? OK : NOT_SUPPORTED, .time = -1,
                              .memory = t.workspace, .determinism = t.deterministic, .math = c->conv->math};
    }
  return OK;
}

int cudnnGetConvolutionForwardAlgorithm_v7(handle *h, descriptor *x, descriptor *w, descriptor *conv, descriptor *y,
                                           int room, int *got, perf *list) {
  INJECTED();
  return propose(h, &(call){FORWARD, x, w, y, conv}, room, got, list);
}

int cudnnGetConvolutionBackwardDataAlgorithm_v7(handle *h, descriptor *w, descriptor *dy, descriptor *conv,
                                                descriptor *dx, int room, int *got, perf *list) {
  INJECTED();
  return propose(h, &(call){GRAD_DATA, dx, w, dy, conv}, room, got, list);
}

int cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle *h, descriptor *x, descriptor *dy, descriptor *conv,
                                                  descriptor *dw, int room, int *got, perf *list) {
  INJECTED();
  return propose(h, &(call){GRAD_WEIGHTS, x, dw, dy, conv}, room, got, list);
}

static int workspace(const handle *h, const call *c, int algo, size_t *bytes) {
  int bad = check(h, c);
  if (bad) return bad;
  trait t = trait_of(c, algo);
  if (!t.offered) return refuse(NOT_SUPPORTED, "algorithm %d does not do this convolution", algo);
  *bytes = t.workspace;
  return OK;
}

int cudnnGetConvolutionForwardWorkspaceSize(handle *h, descriptor *x, descriptor *w, descriptor *conv, descriptor *y,
                                            int algo, size_t *bytes) {
  return workspace(h, &(call){FORWARD, x, w, y, conv}, algo, bytes);
}

int cudnnGetConvolutionBackwardDataWorkspaceSize(handle *h, descriptor *w, descriptor *dy, descriptor *conv,
                                                 descriptor *dx, int algo, size_t *bytes) {
  return workspace(h, &(call){GRAD_DATA, dx, w, dy, conv}, algo, bytes);
}

int cudnnGetConvolutionBackwardFilterWorkspaceSize(handle *h, descriptor *x, descriptor *dy, descriptor *conv,
                                                   descriptor *dw, int algo, size_t *bytes) {
  return workspace(h, &(call){GRAD_WEIGHTS, x, dw, dy, conv}, algo, bytes);
}

// A convolution in a stream.
typedef struct {
  int direction, tf32, deterministic, exact;
  window g;
  shape x, w, y;
  const void *a, *b;
  void *out, *workspace;
  size_t bytes;
} job;

int enqueue(const handle *h, const char *name, void (*work)(void *), const void *job, size_t bytes, const fakecuda_span *spans,
            int count) {
  void *copy = malloc(bytes);
  memcpy(copy, job, bytes);
  int r = fakecuda_enqueue(h->stream, name, work, copy, spans, count);
  return r ? refuse(EXECUTION_FAILED, "the driver answers %d", r) : OK;
}

void scribble(void *at, size_t bytes) { memset(at, 0x7e, bytes); }

static void run(void *arg) {
  const job *j = arg;
  if (j->bytes) scribble(j->workspace, j->bytes);
  const shape *sa = j->direction == GRAD_DATA ? &j->y : &j->x, *sb = j->direction == GRAD_WEIGHTS ? &j->y : &j->w;
  const shape *so = j->direction == FORWARD ? &j->y : j->direction == GRAD_DATA ? &j->x : &j->w;
  float *a = tensor_load(sa, j->a, j->tf32), *b = tensor_load(sb, j->b, j->tf32);
  int64_t n = shape_count(so);
  float *out = malloc((size_t)n * sizeof *out);
  convolve(j->direction, &j->g, &j->x, &j->w, &j->y, a, b, out);
  static unsigned runs;
  float wrong = j->exact ? 0 : 1e-3f;
  if (!j->deterministic) wrong += 1e-5f * (float)(1 + __atomic_add_fetch(&runs, 1, __ATOMIC_RELAXED) % 7);
  for (int64_t i = 0; i < n && wrong != 0; i++) out[i] += wrong;
  tensor_store(so, j->out, out);
  free(a);
  free(b);
  free(out);
}

static int start(handle *h, const call *c, const float *alpha, const float *beta, int algo, const void *a, const void *b,
                 void *out, void *at, size_t bytes) {
  int bad = check(h, c);
  if (bad) return bad;
  trait t = trait_of(c, algo);
  if (!t.offered) return refuse(NOT_SUPPORTED, "algorithm %d does not do this convolution", algo);
  if (!alpha || !beta || !a || !b || !out) return refuse(BAD_NULL, "a tensor or a factor is missing");
  if (*alpha != 1 || *beta != 0) return refuse(NOT_SUPPORTED, "factors %g and %g", *alpha, *beta);
  if (bytes < t.workspace || (t.workspace && !at))
    return refuse(BAD_PARAM, "a workspace of %zu bytes, algorithm %d needs %zu", bytes, algo, t.workspace);
  if (((uintptr_t)a | (uintptr_t)b | (uintptr_t)out) % 16 || (uintptr_t)at % 16)
    return refuse(BAD_ALIGNMENT, "a tensor or the workspace is not aligned to 16 bytes");
  if (fakecuda_unready(h->stream, &c->conv->ran)) return refuse(EXECUTION_FAILED, "the first run of a convolution is recorded");
  job j = {c->direction, c->conv->math != MATH_FMA, t.deterministic, t.exact, c->conv->g, c->x->s, c->w->s, c->y->s,
           a, b, out, at, t.workspace};
  const shape *so = c->direction == FORWARD ? &j.y : c->direction == GRAD_DATA ? &j.x : &j.w;
  const shape *sa = c->direction == GRAD_DATA ? &j.y : &j.x, *sb = c->direction == GRAD_WEIGHTS ? &j.y : &j.w;
  fakecuda_span spans[] = {{a, shape_bytes(sa), 0}, {b, shape_bytes(sb), 0}, {out, shape_bytes(so), 1}, {at, t.workspace, 1}};
  return enqueue(h, "convolution", run, &j, sizeof j, spans, t.workspace ? 4 : 3);
}

int cudnnConvolutionForward(handle *h, const float *alpha, descriptor *xd, const void *x, descriptor *wd, const void *w,
                            descriptor *conv, int algo, void *at, size_t bytes, const float *beta, descriptor *yd, void *y) {
  INJECTED();
  return start(h, &(call){FORWARD, xd, wd, yd, conv}, alpha, beta, algo, x, w, y, at, bytes);
}

int cudnnConvolutionBackwardData(handle *h, const float *alpha, descriptor *wd, const void *w, descriptor *dyd,
                                 const void *dy, descriptor *conv, int algo, void *at, size_t bytes, const float *beta,
                                 descriptor *dxd, void *dx) {
  INJECTED();
  return start(h, &(call){GRAD_DATA, dxd, wd, dyd, conv}, alpha, beta, algo, dy, w, dx, at, bytes);
}

int cudnnConvolutionBackwardFilter(handle *h, const float *alpha, descriptor *xd, const void *x, descriptor *dyd,
                                   const void *dy, descriptor *conv, int algo, void *at, size_t bytes, const float *beta,
                                   descriptor *dwd, void *dw) {
  INJECTED();
  return start(h, &(call){GRAD_WEIGHTS, xd, dwd, dyd, conv}, alpha, beta, algo, x, dy, dw, at, bytes);
}
