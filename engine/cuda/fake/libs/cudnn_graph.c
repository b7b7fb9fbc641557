// The graph ("backend") API of the fake libcudnn.so.9: one convolution and the pointwise
// operations behind it, on tensors with their channels last. A descriptor takes what its
// kind has, nothing after it is finalised, and is used by others only then.
#include "cudnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { // cudnnBackendDescriptorType_t
  POINTWISE = 0,
  CONVOLUTION = 1,
  ENGINE = 2,
  CONFIG = 3,
  HEURISTIC = 4,
  PLAN = 5,
  OP_FORWARD = 10,
  OP_GRAD_WEIGHTS = 11,
  OP_GRAD_DATA = 12,
  OP_POINTWISE = 13,
  GRAPH = 15,
  PACK = 16,
  TENSOR = 17,
  LAST_KIND = 50,
};

enum { // cudnnBackendAttributeType_t
  T_HANDLE = 0,
  T_DATA_TYPE = 1,
  T_BOOLEAN = 2,
  T_INT64 = 3,
  T_FLOAT = 4,
  T_DOUBLE = 5,
  T_POINTER = 6,
  T_CONV_MODE = 7,
  T_HEUR_MODE = 8,
  T_NOTE = 11,
  T_POINTWISE = 14,
  T_DESCRIPTOR = 15,
};

enum { ADD = 0, RELU = 100, MODE_A = 3, FALLBACK = 2, MOST_OPS = 8, MOST_TENSORS = 16 };
enum { NOTE_TENSOR_CORE = 0, NOTE_NONDETERMINISTIC = 4, NOTE_WINOGRAD = 5 };

typedef struct desc desc;

struct desc {
  uint64_t magic;
  int kind, finalized;
  // tensor
  shape s;
  int64_t id, alignment;
  int virtual_, have_dims, have_strides;
  // convolution, pointwise
  window g;
  int mode, compute, have, lists, uneven; // lists: the length of those of the axes
  int64_t behind[MAX_AXES];               // padding
  double slope;
  // operations: alpha, beta, the convolution or pointwise, three tensors
  float alpha, beta;
  desc *use, *t[3];
  // graph
  handle *h;
  desc *ops[MOST_OPS];
  int count;
  // heuristic, engine, config, plan
  desc *graph;
  int engine, ran;
  // pack
  int64_t ids[MOST_TENSORS];
  void *pointers[MOST_TENSORS], *workspace;
  int id_count, pointer_count;
};

enum { MAGIC_DESC = 0x64657363 };

static int live(const desc *d) { return d && d->magic == MAGIC_DESC; }
static int ready(const desc *d, int kind) { return live(d) && d->kind == kind && d->finalized; }

int cudnnBackendCreateDescriptor(int kind, desc **d) {
  INJECTED();
  if (!d) return refuse(BAD_NULL, "no place for the descriptor");
  if (kind < 0 || kind > LAST_KIND) return refuse(BAD_PARAM, "no descriptor is of kind %d", kind);
  *d = calloc(1, sizeof **d);
  (*d)->magic = MAGIC_DESC, (*d)->kind = kind, (*d)->alpha = 1, (*d)->engine = -1;
  return OK;
}

int cudnnBackendDestroyDescriptor(desc *d) {
  if (!live(d)) return refuse(BAD_PARAM, "destroying what is no descriptor");
  d->magic = 0;
  free(d);
  return OK;
}

// want checks the type and number of an attribute's values.
static int want(int type, int64_t n, int wanted, int64_t least, int64_t most) {
  if (type != wanted) return refuse(BAD_PARAM, "attribute type %d, want %d", type, wanted);
  if (n < least || n > most) return refuse(BAD_PARAM, "%lld values, want %lld to %lld", (long long)n, (long long)least, (long long)most);
  return OK;
}

#define WANT(wanted, least, most)                          \
  do {                                                     \
    int bad_ = want(type, n, wanted, least, most);         \
    if (bad_) return bad_;                                 \
  } while (0)

static int set_tensor(desc *d, int name, int type, int64_t n, const void *v) {
  switch (name) {
  case 900: WANT(T_INT64, 1, 1); d->alignment = *(const int64_t *)v; return OK;
  case 901: WANT(T_DATA_TYPE, 1, 1); d->s.type = *(const int *)v; d->have = 1; return OK;
  case 902:
    WANT(T_INT64, 1, MAX_DIMS);
    memcpy(d->s.dims, v, (size_t)n * 8), d->s.rank = (int)n, d->have_dims = (int)n;
    return OK;
  case 903: WANT(T_INT64, 1, MAX_DIMS); memcpy(d->s.strides, v, (size_t)n * 8), d->have_strides = (int)n; return OK;
  case 906: WANT(T_INT64, 1, 1); d->id = *(const int64_t *)v; return OK;
  case 907: WANT(T_BOOLEAN, 1, 1); d->virtual_ = *(const char *)v; return OK;
  }
  return refuse(BAD_PARAM, "a tensor has no attribute %d", name);
}

// set_axes takes a number for each spatial axis; mark says which list it is.
static int set_axes(desc *d, int mark, int64_t *to, int type, int64_t n, const void *v) {
  WANT(T_INT64, 1, MAX_AXES);
  memcpy(to, v, (size_t)n * 8);
  d->have |= mark;
  if (d->lists && d->lists != n) d->uneven = 1;
  d->lists = (int)n;
  return OK;
}

// finalize_convolution: all lists are there, with a number for each axis. Uneven padding
// is possible, and not offered here.
static int finalize_convolution(desc *d) {
  if (d->have != 15 || d->mode != 1 || d->compute != FAKE_FLOAT) return refuse(BAD_PARAM, "an incomplete convolution");
  if (d->g.axes < 1 || d->lists != d->g.axes || d->uneven) return refuse(BAD_PARAM, "lists of %d for %d axes", d->lists, d->g.axes);
  for (int i = 0; i < d->g.axes; i++)
    if (d->g.stride[i] < 1 || d->g.dilation[i] < 1 || d->g.pad[i] < 0 || d->behind[i] < 0)
      return refuse(BAD_PARAM, "axis %d: a stride or dilation below 1, or padding below 0", i);
  if (d->g.axes < 2) return refuse(NOT_SUPPORTED, "one spatial axis");
  if (memcmp(d->g.pad, d->behind, (size_t)d->g.axes * 8)) return refuse(NOT_SUPPORTED, "uneven padding");
  return OK;
}

static int set_convolution(desc *d, int name, int type, int64_t n, const void *v) {
  switch (name) {
  case 100: WANT(T_DATA_TYPE, 1, 1); d->compute = *(const int *)v; return OK;
  case 101: WANT(T_CONV_MODE, 1, 1); d->mode = *(const int *)v; return OK;
  case 102: return set_axes(d, 1, d->g.dilation, type, n, v);
  case 103: return set_axes(d, 2, d->g.stride, type, n, v);
  case 104: return set_axes(d, 4, d->behind, type, n, v);
  case 105: return set_axes(d, 8, d->g.pad, type, n, v);
  case 106: WANT(T_INT64, 1, 1); d->g.axes = (int)*(const int64_t *)v; return OK;
  }
  return refuse(BAD_PARAM, "a convolution has no attribute %d", name);
}

static int set_pointwise(desc *d, int name, int type, int64_t n, const void *v) {
  switch (name) {
  case 0: WANT(T_POINTWISE, 1, 1); d->mode = *(const int *)v; return OK;
  case 1: WANT(T_DATA_TYPE, 1, 1); d->compute = *(const int *)v; return OK;
  case 5: WANT(T_DOUBLE, 1, 1); d->slope = *(const double *)v; return OK;
  }
  return refuse(BAD_PARAM, "a pointwise has no attribute %d", name);
}

// take stores a descriptor that must be finalised and of a kind.
static int take(desc **to, int type, int64_t n, const void *v, int kind) {
  WANT(T_DESCRIPTOR, 1, 1);
  desc *d = *(desc *const *)v;
  if (!live(d) || d->kind != kind) return refuse(BAD_PARAM, "not a descriptor of kind %d", kind);
  if (!d->finalized) return refuse(BAD_NOT_FINALIZED, "a descriptor of kind %d is not finalised", kind);
  *to = d;
  return OK;
}

static int set_operation(desc *d, int first, int name, int type, int64_t n, const void *v) {
  switch (name - first) {
  case 0: WANT(T_FLOAT, 1, 1); d->alpha = *(const float *)v; return OK;
  case 1: WANT(T_FLOAT, 1, 1); d->beta = *(const float *)v; return OK;
  case 2: return take(&d->use, type, n, v, CONVOLUTION);
  case 3: case 4: case 5: return take(&d->t[name - first - 3], type, n, v, TENSOR);
  }
  return refuse(BAD_PARAM, "an operation has no attribute %d", name);
}

static int take_handle(handle **to, const void *v) {
  handle *h = *(handle *const *)v;
  if (!handle_ok(h)) return refuse(BAD_PARAM, "not a handle");
  *to = h;
  return OK;
}

static int set_graph(desc *d, int name, int type, int64_t n, const void *v) {
  if (name == 800) {
    WANT(T_HANDLE, 1, 1);
    return take_handle(&d->h, v);
  }
  if (name != 801) return refuse(BAD_PARAM, "a graph has no attribute %d", name);
  WANT(T_DESCRIPTOR, 1, MOST_OPS);
  d->count = (int)n;
  for (int i = 0; i < n; i++) {
    d->ops[i] = ((desc *const *)v)[i];
    if (!live(d->ops[i]) || !d->ops[i]->finalized) return refuse(BAD_NOT_FINALIZED, "operation %d is not finalised", i);
  }
  return OK;
}

static int set_pack(desc *d, int name, int type, int64_t n, const void *v) {
  switch (name) {
  case 1000: WANT(T_INT64, 1, MOST_TENSORS); memcpy(d->ids, v, (size_t)n * 8), d->id_count = (int)n; return OK;
  case 1001: WANT(T_POINTER, 1, MOST_TENSORS); memcpy(d->pointers, v, (size_t)n * 8), d->pointer_count = (int)n; return OK;
  case 1003: WANT(T_POINTER, 1, 1); d->workspace = *(void *const *)v; return OK;
  }
  return refuse(BAD_PARAM, "a variant pack has no attribute %d", name);
}

static int set_other(desc *d, int name, int type, int64_t n, const void *v) {
  if (d->kind == HEURISTIC && name == 201) return take(&d->graph, type, n, v, GRAPH);
  if (d->kind == HEURISTIC && name == 200) {
    WANT(T_HEUR_MODE, 1, 1);
    d->mode = *(const int *)v;
    return OK;
  }
  if (d->kind == PLAN && name == 400) {
    WANT(T_HANDLE, 1, 1);
    return take_handle(&d->h, v);
  }
  if (d->kind == PLAN && name == 401) return take(&d->use, type, n, v, CONFIG);
  return refuse(BAD_PARAM, "a descriptor of kind %d has no attribute %d to set", d->kind, name);
}

int cudnnBackendSetAttribute(desc *d, int name, int type, int64_t n, const void *v) {
  if (!live(d) || !v) return refuse(BAD_PARAM, "no descriptor, or no values");
  if (d->finalized) return refuse(BAD_PARAM, "attribute %d set after the descriptor was finalised", name);
  switch (d->kind) {
  case TENSOR: return set_tensor(d, name, type, n, v);
  case CONVOLUTION: return set_convolution(d, name, type, n, v);
  case POINTWISE: return set_pointwise(d, name, type, n, v);
  case OP_FORWARD: return set_operation(d, 700, name, type, n, v);
  case OP_GRAD_DATA: return set_operation(d, 706, name, type, n, v);
  case OP_GRAD_WEIGHTS: return set_operation(d, 712, name, type, n, v);
  case OP_POINTWISE:
    if (name == 750) return take(&d->use, type, n, v, POINTWISE);
    if (name >= 751 && name <= 753) return take(&d->t[name - 751], type, n, v, TENSOR);
    return refuse(BAD_PARAM, "a pointwise operation has no attribute %d", name);
  case GRAPH: return set_graph(d, name, type, n, v);
  case PACK: return set_pack(d, name, type, n, v);
  }
  return set_other(d, name, type, n, v);
}

static int finalize_tensor(desc *d) {
  if (!d->have || !d->have_dims || d->have_dims != d->have_strides || !d->id || !d->alignment)
    return refuse(BAD_PARAM, "a tensor without type, dimensions, strides, number or alignment");
  if (d->s.type != FAKE_FLOAT && d->s.type != FAKE_BFLOAT16) return refuse(NOT_SUPPORTED, "data type %d", d->s.type);
  if (!shape_bytes(&d->s)) return refuse(BAD_PARAM, "a dimension or stride is not positive");
  if (d->alignment < 0 || d->alignment % (int64_t)type_bytes(d->s.type)) return refuse(BAD_PARAM, "an alignment of %lld", (long long)d->alignment);
  if (shape_overlaps(&d->s)) return refuse(BAD_PARAM, "elements overlap");
  return OK;
}

// x, w and y of a convolution's operation. All three directions number them W, X, Y.
static int finalize_operation(desc *d) {
  if (!d->use || !d->t[0] || !d->t[1] || !d->t[2]) return refuse(BAD_PARAM, "an operation without its convolution or a tensor");
  if (d->alpha != 1 || d->beta != 0) return refuse(NOT_SUPPORTED, "factors %g and %g", d->alpha, d->beta);
  const shape *w = &d->t[0]->s, *x = &d->t[1]->s, *y = &d->t[2]->s;
  window g = d->use->g;
  if (w->rank < 2 || x->rank != w->rank || x->dims[1] % w->dims[1]) return refuse(BAD_PARAM, "x and w do not fit");
  g.groups = (int)(x->dims[1] / w->dims[1]);
  if (!window_fits(&g, x, w, y)) return refuse(BAD_PARAM, "x, w and y do not fit the convolution");
  d->g = g;
  return OK;
}

static int finalize_pointwise(desc *d) {
  if (!d->use || !d->t[0] || !d->t[2]) return refuse(BAD_PARAM, "a pointwise operation without mode or tensor");
  if ((d->use->mode == ADD) != (d->t[1] != NULL)) return refuse(BAD_PARAM, "a second tensor too many, or missing");
  const shape *x = &d->t[0]->s, *b = d->t[1] ? &d->t[1]->s : x, *y = &d->t[2]->s;
  for (int i = 0; i < x->rank; i++)
    if (x->dims[i] != y->dims[i] || b->rank != x->rank || (b->dims[i] != 1 && b->dims[i] != x->dims[i]))
      return refuse(BAD_PARAM, "pointwise tensors differ in dimension %d", i);
  return OK;
}

static desc *result(const desc *op) {
  return op->kind == OP_GRAD_WEIGHTS ? op->t[0] : op->kind == OP_GRAD_DATA ? op->t[1] : op->t[2];
}

// dense is 1 for a tensor without gaps whose channels are last, or first.
static int dense(const shape *s) {
  int64_t last = s->dims[1], first = 1;
  int is_last = s->strides[1] == 1, is_first = 1;
  for (int i = s->rank - 1; i >= 0; i--) {
    is_first &= s->strides[i] == first, first *= s->dims[i];
    if (i != 1) is_last &= s->strides[i] == last, last *= s->dims[i];
  }
  return is_last || is_first;
}

// numbered is BAD_PARAM where two tensors of a graph have one number.
static int numbered(const desc *d) {
  for (int i = 0; i < 3 * d->count; i++)
    for (int j = 0; j < i; j++) {
      const desc *a = d->ops[i / 3]->t[i % 3], *b = d->ops[j / 3]->t[j % 3];
      if (a && b && a != b && a->id == b->id) return refuse(BAD_PARAM, "two tensors have the number %lld", (long long)a->id);
    }
  return OK;
}

// A graph is offered if it is one convolution and pointwise operations that each take the
// result before: virtual between them, in memory at the end.
static int finalize_graph(desc *d) {
  if (!d->h || d->count < 1) return refuse(BAD_PARAM, "a graph without handle or operations");
  if (d->ops[0]->kind < OP_FORWARD || d->ops[0]->kind > OP_GRAD_DATA) return refuse(NOT_SUPPORTED, "the first operation is no convolution");
  if (d->ops[0]->kind == OP_GRAD_WEIGHTS && d->count > 1) return refuse(NOT_SUPPORTED, "operations behind a gradient of weights");
  for (int i = 0; i < d->count; i++) {
    desc *op = d->ops[i], *out = result(op);
    if (i > 0 && (op->kind != OP_POINTWISE || op->t[0] != result(d->ops[i - 1]))) return refuse(NOT_SUPPORTED, "operation %d does not follow", i);
    if (out->virtual_ != (i < d->count - 1)) return refuse(BAD_PARAM, "the result of operation %d should%s be virtual", i, out->virtual_ ? " not" : "");
    for (int t = 0; t < 3; t++)
      if (op->t[t] && !dense(&op->t[t]->s)) return refuse(NOT_SUPPORTED, "a tensor of operation %d is neither channels last nor first", i);
  }
  return numbered(d);
}

int cudnnBackendFinalize(desc *d) {
  INJECTED();
  if (!live(d)) return refuse(BAD_PARAM, "not a descriptor");
  if (d->finalized) return refuse(BAD_PARAM, "finalised twice");
  int bad = OK;
  switch (d->kind) {
  case TENSOR: bad = finalize_tensor(d); break;
  case CONVOLUTION: bad = finalize_convolution(d); break;
  case POINTWISE:
    if (d->compute != FAKE_FLOAT) bad = refuse(NOT_SUPPORTED, "compute type %d", d->compute);
    if (d->mode != ADD && d->mode != RELU) bad = refuse(NOT_SUPPORTED, "pointwise mode %d", d->mode);
    break;
  case OP_FORWARD: case OP_GRAD_DATA: case OP_GRAD_WEIGHTS: bad = finalize_operation(d); break;
  case OP_POINTWISE: bad = finalize_pointwise(d); break;
  case GRAPH: bad = finalize_graph(d); break;
  case HEURISTIC:
    if (!d->graph || (d->mode != MODE_A && d->mode != FALLBACK)) bad = refuse(BAD_PARAM, "heuristics without a graph or a mode");
    break;
  case PLAN:
    if (!d->h || !d->use) bad = refuse(BAD_PARAM, "a plan without handle or config");
    else if (d->use->engine == 7) bad = refuse(NOT_SUPPORTED, "engine 7 does not do this graph");
    else d->graph = d->use->graph, d->engine = d->use->engine;
    break;
  case PACK:
    if (d->id_count != d->pointer_count || !d->id_count) bad = refuse(BAD_PARAM, "%d numbers for %d pointers", d->id_count, d->pointer_count);
    break;
  default: bad = refuse(BAD_PARAM, "a descriptor of kind %d cannot be finalised", d->kind);
  }
  d->finalized = bad == OK;
  return bad;
}

// offered says whether there are engines for a graph. It is what cuDNN 9.28 says of an
// H100: with channels first, nothing behind a convolution but a float32 bias and a ReLU; of
// bfloat16 tensors, no gradient of weights in float32, and another result in float32 only
// where the channels are multiples of 8. (It has a few more.)
static int offered(const desc *graph) {
  const desc *conv = graph->ops[0], *behind = graph->count > 1 ? graph->ops[1] : NULL;
  const shape *w = &conv->t[0]->s, *x = &conv->t[1]->s;
  if (conv->kind == OP_GRAD_WEIGHTS && x->type == FAKE_BFLOAT16) return w->type == FAKE_BFLOAT16;
  const shape *y = &conv->t[2]->s;
  if (behind == NULL && x->type != y->type) return x->dims[1] % 8 == 0 && y->dims[1] % 8 == 0;
  int last = x->strides[1] == 1;
  if (last || !behind) return 1;
  const shape *bias = behind->use->mode == ADD ? &behind->t[1]->s : NULL;
  int relu = graph->count == 3 && graph->ops[2]->use->mode == RELU;
  return conv->kind == OP_FORWARD && x->type == FAKE_FLOAT && bias && shape_count(bias) == bias->dims[1] && (graph->count == 2 || relu);
}

// The engines: 7 never finalises, 4 is nondeterministic, 5 wrong as Winograd is, 1 and 0
// are good. With float32 tensors all but 0 round to TF32.
static const int engines_a[] = {7, 5, 4, 1}, engines_fallback[] = {0};

static size_t plan_workspace(int engine) { return engine == 0 ? 0 : 1000 + 24 * (size_t)engine; }

static int configs(const desc *d, int64_t room, int64_t *count, desc **list) {
  int n = d->mode == MODE_A ? 4 : 1;
  const int *engines = d->mode == MODE_A ? engines_a : engines_fallback;
  *count = 0;
  if (!offered(d->graph)) return OK;
  for (int i = 0; i < n && i < room; i++, ++*count) {
    if (!live(list[i]) || list[i]->kind != CONFIG || list[i]->finalized) return refuse(BAD_PARAM, "no config to fill at %d", i);
    list[i]->engine = engines[i], list[i]->graph = d->graph, list[i]->finalized = 1;
  }
  return OK;
}

static int notes(const desc *d, int64_t room, int64_t *count, int *list) {
  int all[4], n = 0;
  if (d->engine != 0) all[n++] = NOTE_TENSOR_CORE;
  if (d->engine == 4) all[n++] = NOTE_NONDETERMINISTIC;
  if (d->engine == 5) all[n++] = NOTE_WINOGRAD;
  for (int i = 0; i < n && i < room; i++) list[i] = all[i];
  *count = n;
  return OK;
}

int cudnnBackendGetAttribute(desc *d, int name, int type, int64_t n, int64_t *count, void *v) {
  if (!live(d) || !v || !count) return refuse(BAD_PARAM, "no descriptor, or no place for the values");
  if (!d->finalized) return refuse(BAD_NOT_FINALIZED, "attribute %d read before the descriptor was finalised", name);
  if (d->kind == HEURISTIC && name == 202 && type == T_DESCRIPTOR) return configs(d, n, count, v);
  if (d->kind == CONFIG && name == 300 && type == T_DESCRIPTOR && n == 1) {
    desc *e = *(desc **)v;
    if (!live(e) || e->kind != ENGINE || e->finalized) return refuse(BAD_PARAM, "no engine to fill");
    e->engine = d->engine, e->finalized = 1, *count = 1;
    return OK;
  }
  if (d->kind == ENGINE && name == 1303 && type == T_NOTE) return notes(d, n, count, v);
  if (d->kind == ENGINE && name == 1301 && type == T_INT64) return *(int64_t *)v = d->engine, *count = 1, OK;
  if (d->kind == PLAN && name == 402 && type == T_INT64) return *(int64_t *)v = (int64_t)plan_workspace(d->engine), *count = 1, OK;
  return refuse(BAD_PARAM, "a descriptor of kind %d has no attribute %d of type %d", d->kind, name, type);
}

// A plan in a stream: its own copy of all it needs.
typedef struct {
  int kind, count, engine;
  window g;
  shape x, w, y;
  void *at[3]; // of w, x, y; NULL where virtual
  struct {
    int mode;
    double slope;
    shape second, out;
    const void *second_at;
    void *out_at;
  } step[MOST_OPS];
  void *workspace;
} job;

static void run_conv(const job *j, float *out) {
  int direction = j->kind == OP_FORWARD ? FORWARD : j->kind == OP_GRAD_DATA ? GRAD_DATA : GRAD_WEIGHTS;
  const shape *all[3] = {&j->w, &j->x, &j->y};
  static const int inputs[3][2] = {{1, 0}, {2, 0}, {1, 2}};
  int a = inputs[direction][0], b = inputs[direction][1];
  float *da = tensor_load(all[a], j->at[a], j->engine != 0), *db = tensor_load(all[b], j->at[b], j->engine != 0);
  convolve(direction, &j->g, &j->x, &j->w, &j->y, da, db, out);
  free(da);
  free(db);
}

static void run_step(const job *j, int i, float *v) {
  const shape *s = &j->step[i].out, *b = &j->step[i].second;
  int64_t n = shape_count(s), inner = n / s->dims[0] / s->dims[1];
  if (j->step[i].mode == RELU) {
    for (int64_t k = 0; k < n; k++) v[k] = v[k] > 0 ? v[k] : (float)j->step[i].slope * v[k];
    return;
  }
  float *second = tensor_load(b, j->step[i].second_at, 0);
  int bias = shape_count(b) != n;
  for (int64_t k = 0; k < n; k++) v[k] += bias ? second[k / inner % s->dims[1]] : second[k];
  free(second);
}

static void run_plan(void *arg) {
  const job *j = arg;
  size_t bytes = plan_workspace(j->engine);
  if (bytes) scribble(j->workspace, bytes);
  const shape *so = j->kind == OP_FORWARD ? &j->y : j->kind == OP_GRAD_DATA ? &j->x : &j->w;
  int64_t n = shape_count(so);
  float *v = malloc((size_t)n * sizeof *v);
  run_conv(j, v);
  static unsigned runs;
  float wrong = j->engine == 5 ? 1e-3f : 0;
  if (j->engine == 4) wrong = 1e-5f * (float)(1 + __atomic_add_fetch(&runs, 1, __ATOMIC_RELAXED) % 7);
  for (int64_t i = 0; i < n && wrong != 0; i++) v[i] += wrong;
  void *at = j->at[j->kind == OP_FORWARD ? 2 : j->kind == OP_GRAD_DATA ? 1 : 0];
  for (int i = 0; i < j->count; i++) {
    run_step(j, i, v);
    so = &j->step[i].out, at = j->step[i].out_at;
  }
  tensor_store(so, at, v);
  free(v);
}

// place looks up where a tensor lies; NULL for a virtual one. It also enters its span.
static int place(const desc *pack, const desc *t, void **at, int written, fakecuda_span *spans, int *count) {
  *at = NULL;
  if (!live(t)) return refuse(BAD_PARAM, "a tensor of the plan was destroyed");
  if (t->virtual_) return OK;
  for (int i = 0; i < pack->id_count; i++)
    if (pack->ids[i] == t->id) *at = pack->pointers[i];
  if (!*at) return refuse(BAD_NULL, "no pointer for tensor %lld", (long long)t->id);
  if ((uintptr_t)*at % (uintptr_t)t->alignment) return refuse(BAD_ALIGNMENT, "tensor %lld is not aligned to %lld bytes", (long long)t->id, (long long)t->alignment);
  spans[(*count)++] = (fakecuda_span){*at, shape_bytes(&t->s), written};
  return OK;
}

int cudnnBackendExecute(handle *h, desc *plan, desc *pack) {
  INJECTED();
  if (!handle_ok(h) || !ready(plan, PLAN) || !ready(pack, PACK)) return refuse(BAD_NOT_FINALIZED, "a plan or variant pack that is not finalised");
  const desc *graph = plan->graph;
  if (!ready(graph, GRAPH) || !live(graph->ops[0])) return refuse(BAD_PARAM, "the plan's graph was destroyed");
  if (plan_workspace(plan->engine) && !pack->workspace) return refuse(BAD_PARAM, "no workspace; %zu bytes are needed", plan_workspace(plan->engine));
  const desc *op = graph->ops[0];
  job j = {.kind = op->kind, .count = graph->count - 1, .engine = plan->engine, .g = op->g, .w = op->t[0]->s,
           .x = op->t[1]->s, .y = op->t[2]->s, .workspace = pack->workspace};
  fakecuda_span spans[MOST_TENSORS * 2];
  int n = 0, bad = OK;
  for (int t = 0; t < 3 && !bad; t++) bad = place(pack, op->t[t], &j.at[t], op->t[t] == result(op), spans, &n);
  for (int i = 1; i < graph->count && !bad; i++) {
    const desc *p = graph->ops[i];
    j.step[i - 1].mode = p->use->mode, j.step[i - 1].slope = p->use->slope, j.step[i - 1].out = p->t[2]->s;
    void *second = NULL;
    if (p->t[1]) {
      j.step[i - 1].second = p->t[1]->s;
      bad = place(pack, p->t[1], &second, 0, spans, &n);
      j.step[i - 1].second_at = second;
    }
    if (!bad) bad = place(pack, p->t[2], &j.step[i - 1].out_at, 1, spans, &n);
  }
  if (bad) return bad;
  if (plan_workspace(plan->engine)) spans[n++] = (fakecuda_span){pack->workspace, plan_workspace(plan->engine), 1};
  if (fakecuda_unready(h->stream, &plan->ran)) return refuse(EXECUTION_FAILED, "the first run of a plan is recorded");
  return enqueue(h, "convolution graph", run_plan, &j, sizeof j, spans, n);
}
