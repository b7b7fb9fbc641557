// What cuDNN's graph API refuses.
#include "cudnn.h"

int cudnnBackendCreateDescriptor(int, void **);
int cudnnBackendDestroyDescriptor(void *);
int cudnnBackendSetAttribute(void *, int, int, int64_t, const void *);
int cudnnBackendGetAttribute(void *, int, int, int64_t, int64_t *, void *);
int cudnnBackendFinalize(void *);
int cudnnBackendExecute(void *, void *, void *);

enum { POINTWISE = 0, CONVOLUTION = 1, ENGINE = 2, CONFIG = 3, HEURISTIC = 4, PLAN = 5, FORWARD = 10, POINTWISE_OP = 13, GRAPH = 15, PACK = 16, TENSOR = 17 };
enum { T_HANDLE = 0, T_TYPE = 1, T_BOOL = 2, T_INT64 = 3, T_FLOAT = 4, T_POINTER = 6, T_CONV_MODE = 7, T_HEUR_MODE = 8, T_POINTWISE = 14, T_DESC = 15 };

static void *h;
static Stream s;

static void *make(int kind) {
  void *d = NULL;
  OK(cudnnBackendCreateDescriptor(kind, &d));
  return d;
}

static int set(void *d, int name, int type, int64_t n, const void *v) { return cudnnBackendSetAttribute(d, name, type, n, v); }
static int number(void *d, int name, int64_t v) { return set(d, name, T_INT64, 1, &v); }
static int code(void *d, int name, int type, int v) { return set(d, name, type, 1, &v); }
static int refer(void *d, int name, void *v) { return set(d, name, T_DESC, 1, &v); }

enum { N = 2, C = 8, K = 16, SIZE = 6 };

// strides of a dense tensor whose channels are last.
static void last(const int64_t dims[4], int64_t strides[4]) {
  strides[1] = 1, strides[3] = dims[1], strides[2] = dims[1] * dims[3], strides[0] = dims[1] * dims[3] * dims[2];
}

// tensor is one not yet finalised.
static void *tensor(int64_t id, int type, const int64_t dims[4], int hidden) {
  void *d = make(TENSOR);
  int64_t strides[4];
  char yes = (char)hidden;
  last(dims, strides);
  OK(number(d, 906, id));
  OK(number(d, 900, 16));
  OK(code(d, 901, T_TYPE, type));
  OK(set(d, 902, T_INT64, 4, dims));
  OK(set(d, 903, T_INT64, 4, strides));
  OK(set(d, 907, T_BOOL, 1, &yes));
  return d;
}

static const int64_t dims_x[] = {N, C, SIZE, SIZE}, dims_w[] = {K, C, 3, 3}, dims_y[] = {N, K, SIZE, SIZE}, dims_b[] = {1, K, 1, 1};

static void *finalized(void *d) {
  OK(cudnnBackendFinalize(d));
  return d;
}

static void *window(int64_t pad, int compute) {
  void *d = make(CONVOLUTION);
  int64_t one[] = {1, 1}, p[] = {pad, pad};
  OK(code(d, 100, T_TYPE, compute));
  OK(code(d, 101, T_CONV_MODE, 1));
  OK(set(d, 102, T_INT64, 2, one));
  OK(set(d, 103, T_INT64, 2, one));
  OK(set(d, 105, T_INT64, 2, p));
  OK(set(d, 104, T_INT64, 2, p));
  OK(number(d, 106, 2));
  return d;
}

static void *forward(void *conv, void *w, void *x, void *y) {
  void *d = make(FORWARD);
  float one = 1, zero = 0;
  OK(set(d, 700, T_FLOAT, 1, &one));
  OK(set(d, 701, T_FLOAT, 1, &zero));
  OK(refer(d, 702, conv));
  OK(refer(d, 703, w));
  OK(refer(d, 704, x));
  OK(refer(d, 705, y));
  return d;
}

static void *pointwise(int mode, int compute) {
  void *d = make(POINTWISE);
  OK(code(d, 0, T_POINTWISE, mode));
  OK(code(d, 1, T_TYPE, compute));
  return d;
}

static void *graph(int64_t n, void **ops) {
  void *d = make(GRAPH);
  OK(set(d, 800, T_HANDLE, 1, &h));
  OK(set(d, 801, T_DESC, n, ops));
  return d;
}

static void tensors(void) {
  void *d = make(TENSOR);
  int64_t dims[] = {N, C, SIZE, SIZE}, overlap[] = {C * SIZE * SIZE, 1, C * SIZE - 1, C};
  REFUSED(cudnnBackendFinalize(d), BAD_PARAM, "without type");
  REFUSED(number(d, 905, 1), BAD_PARAM, "no attribute 905");
  REFUSED(set(d, 902, T_FLOAT, 4, dims), BAD_PARAM, "attribute type 4, want 3");
  REFUSED(set(d, 906, T_INT64, 2, dims), BAD_PARAM, "2 values, want 1");
  d = tensor(1, HALF, dims, 0);
  REFUSED(cudnnBackendFinalize(d), NOT_SUPPORTED, "data type 2");
  d = tensor(1, FLOAT, dims, 0);
  OK(set(d, 903, T_INT64, 4, overlap));
  REFUSED(cudnnBackendFinalize(d), BAD_PARAM, "overlap");
  dims[2] = 0;
  d = tensor(1, FLOAT, dims, 0);
  REFUSED(cudnnBackendFinalize(d), BAD_PARAM, "not positive");
  d = finalized(tensor(1, FLOAT, dims_x, 0));
  REFUSED(cudnnBackendFinalize(d), BAD_PARAM, "twice");
  REFUSED(number(d, 906, 2), BAD_PARAM, "after the descriptor was finalised");
}

static void operations(void) {
  int64_t odd[] = {N, K, SIZE, SIZE + 1}, three[] = {K, 3, 3, 3}, loose[] = {K * SIZE * SIZE * 2, 2, K * SIZE * 2, K * 2};
  void *x = tensor(1, FLOAT, dims_x, 0), *w = finalized(tensor(2, FLOAT, dims_w, 0)), *y = finalized(tensor(3, FLOAT, dims_y, 0));
  void *hidden = finalized(tensor(4, FLOAT, dims_y, 1)), *out = finalized(tensor(5, FLOAT, dims_y, 0));
  REFUSED(cudnnBackendFinalize(make(CONVOLUTION)), BAD_PARAM, "incomplete");
  REFUSED(cudnnBackendFinalize(window(1, HALF)), BAD_PARAM, "incomplete"); // compute type
  void *conv = window(1, FLOAT), *op = make(FORWARD);
  REFUSED(refer(op, 702, conv), BAD_NOT_FINALIZED, "not finalised");
  finalized(conv);
  REFUSED(refer(op, 704, x), BAD_NOT_FINALIZED, "not finalised");
  finalized(x);
  REFUSED(refer(op, 704, conv), BAD_PARAM, "not a descriptor of kind 17");
  REFUSED(cudnnBackendFinalize(op), BAD_PARAM, "without its convolution");
  REFUSED(cudnnBackendFinalize(forward(conv, w, x, finalized(tensor(3, FLOAT, odd, 0)))), BAD_PARAM, "do not fit");
  REFUSED(cudnnBackendFinalize(forward(conv, finalized(tensor(2, FLOAT, three, 0)), x, y)), BAD_PARAM, "do not fit");
  REFUSED(cudnnBackendFinalize(pointwise(77, FLOAT)), NOT_SUPPORTED, "mode 77");
  REFUSED(cudnnBackendFinalize(pointwise(100, BFLOAT16)), NOT_SUPPORTED, "compute type 9");

  void *ops[2] = {finalized(forward(conv, w, x, hidden)), finalized(forward(conv, w, x, y))}, *relu = make(POINTWISE_OP);
  REFUSED(cudnnBackendFinalize(graph(1, ops)), BAD_PARAM, "should not be virtual");
  REFUSED(cudnnBackendFinalize(graph(2, ops)), NOT_SUPPORTED, "does not follow");
  OK(refer(relu, 750, finalized(pointwise(100, FLOAT))));
  OK(refer(relu, 751, hidden));
  REFUSED(cudnnBackendFinalize(relu), BAD_PARAM, "without mode or tensor");
  OK(refer(relu, 753, out));
  ops[1] = relu;
  void *early = make(GRAPH);
  REFUSED(set(early, 801, T_DESC, 2, ops), BAD_NOT_FINALIZED, "operation 1 is not finalised");
  finalized(relu);
  REFUSED(set(early, 800, T_HANDLE, 1, &relu), BAD_PARAM, "not a handle");
  OK(set(early, 801, T_DESC, 2, ops));
  REFUSED(cudnnBackendFinalize(early), BAD_PARAM, "without handle");
  finalized(graph(2, ops));

  // two tensors of one number, and one with gaps
  ops[0] = finalized(forward(conv, w, finalized(tensor(2, FLOAT, dims_x, 0)), y));
  REFUSED(cudnnBackendFinalize(graph(1, ops)), BAD_PARAM, "the number 2");
  void *gaps = tensor(3, FLOAT, dims_y, 0);
  OK(set(gaps, 903, T_INT64, 4, loose));
  ops[0] = finalized(forward(conv, w, x, finalized(gaps)));
  REFUSED(cudnnBackendFinalize(graph(1, ops)), NOT_SUPPORTED, "neither channels last nor first");
}

// plan is that of the n-th config of a convolution with bias, not yet finalised.
static void *plan(int n) {
  void *x = finalized(tensor(1, BFLOAT16, dims_x, 0)), *w = finalized(tensor(2, BFLOAT16, dims_w, 0)), *conv = finalized(window(1, FLOAT));
  void *sum = finalized(tensor(3, FLOAT, dims_y, 1)), *b = finalized(tensor(4, FLOAT, dims_b, 0)), *y = finalized(tensor(5, BFLOAT16, dims_y, 0));
  void *add = make(POINTWISE_OP), *heur = make(HEURISTIC), *configs[4], *d = make(PLAN);
  int64_t got = 0;
  OK(refer(add, 750, finalized(pointwise(0, FLOAT))));
  OK(refer(add, 751, sum));
  OK(refer(add, 752, b));
  OK(refer(add, 753, y));
  void *ops[] = {finalized(forward(conv, w, x, sum)), finalized(add)}, *g = graph(2, ops);
  REFUSED(refer(heur, 201, g), BAD_NOT_FINALIZED, "not finalised");
  OK(refer(heur, 201, finalized(g)));
  OK(code(heur, 200, T_HEUR_MODE, 3));
  for (int i = 0; i < 4; i++) configs[i] = make(CONFIG);
  REFUSED(cudnnBackendGetAttribute(heur, 202, T_DESC, 4, &got, configs), BAD_NOT_FINALIZED, "before the descriptor was finalised");
  REFUSED(refer(d, 401, configs[n]), BAD_NOT_FINALIZED, "not finalised");
  finalized(heur);
  OK(cudnnBackendGetAttribute(heur, 202, T_DESC, 4, &got, configs));
  IS(got, 4);
  REFUSED(cudnnBackendFinalize(d), BAD_PARAM, "without handle or config");
  OK(set(d, 400, T_HANDLE, 1, &h));
  OK(refer(d, 401, configs[n]));
  return d;
}

static Pointer at[5], space;
static const size_t bytes[] = {2 * N * C * SIZE * SIZE, 2 * K * C * 9, 0, 4 * K, 2 * N * K * SIZE * SIZE};

// execute runs a plan on the tensors that the mask names, that at number moved by some bytes.
static int execute(void *d, int mask, int moved, int by, Pointer workspace) {
  void *pack = make(PACK), *pointers[5];
  int64_t ids[5], n = 0;
  for (int i = 0; i < 5; i++)
    if (mask >> i & 1) ids[n] = i + 1, pointers[n++] = (void *)(at[i] + (i == moved ? (Pointer)by : 0));
  OK(set(pack, 1000, T_INT64, n, ids));
  OK(set(pack, 1001, T_POINTER, n, pointers));
  if (workspace) OK(set(pack, 1003, T_POINTER, 1, &workspace));
  return cudnnBackendExecute(h, d, finalized(pack));
}

enum { ALL = 1 | 2 | 8 | 16 };

static void executions(void) {
  void *refused = plan(0), *d = plan(3), *pack = make(PACK);
  int64_t needs = 0, n, ids[] = {1, 2};
  REFUSED(cudnnBackendFinalize(refused), NOT_SUPPORTED, "engine 7");
  REFUSED(execute(d, ALL, -1, 0, space), BAD_NOT_FINALIZED, "not finalised");
  finalized(d);
  OK(cudnnBackendGetAttribute(d, 402, T_INT64, 1, &n, &needs));
  if (needs == 0) printf("the plan needs no workspace\n"), failures++;
  REFUSED(cudnnBackendFinalize(pack), BAD_PARAM, "numbers for");
  OK(set(pack, 1000, T_INT64, 2, ids));
  REFUSED(cudnnBackendFinalize(pack), BAD_PARAM, "2 numbers for 0 pointers");
  REFUSED(cudnnBackendExecute(h, d, pack), BAD_NOT_FINALIZED, "not finalised");
  REFUSED(execute(d, ALL, -1, 0, 0), BAD_PARAM, "no workspace");
  REFUSED(execute(d, ALL & ~8, -1, 0, space), BAD_NULL, "no pointer for tensor 4");
  REFUSED(execute(d, ALL, 0, 8, space), BAD_ALIGNMENT, "tensor 1 is not aligned");
  Graph graph;
  OK(cuStreamBeginCapture_v2(s, THREAD_LOCAL));
  REFUSED(execute(d, ALL, -1, 0, space), EXECUTION_FAILED, "first run"); // code is loaded then
  IS(cuStreamEndCapture(s, &graph), 901);
  OK(execute(d, ALL, -1, 0, space));
  OK(cuStreamSynchronize(s));
  OK(cuStreamBeginCapture_v2(s, THREAD_LOCAL));
  OK(execute(d, ALL, -1, 0, space));
  OK(cuStreamEndCapture(s, &graph));
  // a tensor that goes beyond its memory, last, as the context is lost
  REFUSED(execute(d, ALL, 4, 16, space), EXECUTION_FAILED, "driver answers 700");
  IS(cuStreamSynchronize(s), 700);
}

int main(void) {
  begin();
  OK(cudnnCreate(&h));
  OK(cuStreamCreate(&s, NON_BLOCKING));
  OK(cudnnSetStream(h, s));
  for (int i = 0; i < 5; i++)
    if (bytes[i]) OK(cuMemAlloc_v2(&at[i], bytes[i]));
  OK(cuMemAlloc_v2(&space, 1 << 16));
  tensors();
  operations();
  executions();
  return failures != 0;
}
