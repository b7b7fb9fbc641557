// A fake libcublasLt.so.12: column-major products with their epilogues, computed on the
// host when the stream gets there. It refuses what the real one refuses.
#include "conv.h"
#include "fakecuda.h"

#include <stdlib.h>
#include <string.h>

enum { OK = 0, NOT_INITIALIZED = 1, INVALID = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };
enum { R_32F = 0, R_16BF = 14, COMPUTE_32F = 68, COMPUTE_TF32 = 77 };
enum { DESC_TRANSA = 3, DESC_TRANSB = 4, DESC_EPILOGUE = 7, DESC_BIAS = 8, DESC_BIAS_TYPE = 26 };
enum { EPI_DEFAULT = 1, EPI_RELU = 2, EPI_BIAS = 4, EPI_RELU_BIAS = 6 };
enum { PREF_WORKSPACE = 1, PREF_REDUCTIONS = 3, PREF_ALIGNMENT = 5 };
enum { REDUCTION_INPLACE = 1 };

size_t cublasLtGetVersion(void) { return 120901; }

const char *cublasLtGetStatusString(int status) {
  switch (status) {
  case OK: return "CUBLAS_STATUS_SUCCESS";
  case NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
  case INVALID: return "CUBLAS_STATUS_INVALID_VALUE";
  case EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
  case NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
  }
  return "CUBLAS_STATUS_INTERNAL_ERROR";
}

#define INJECTED()                               \
  do {                                           \
    int injected_ = fakecuda_injected(__func__); \
    if (injected_) return injected_ > 99 ? EXECUTION_FAILED : injected_; \
  } while (0)

enum { MAGIC_HANDLE = 0x4c746864, MAGIC_DESC = 0x4c746d64, MAGIC_LAYOUT = 0x4c746c61, MAGIC_PREF = 0x4c747072, MAGIC_ALGO = 0x4c74616c };

typedef struct {
  uint64_t magic;
  // product
  int compute, scale, trans[2], epilogue, bias_type;
  const void *bias;
  int ran;
  // matrix
  int type;
  int64_t rows, cols, ld;
  // preference
  uint64_t workspace;
  uint32_t reductions, alignment[4];
} object;

static int is(const object *o, uint64_t magic) { return o && o->magic == magic; }

static int create(object **o, uint64_t magic) {
  if (!o) return INVALID;
  *o = calloc(1, sizeof **o);
  (*o)->magic = magic;
  return OK;
}

static int destroy(object *o, uint64_t magic) {
  if (!is(o, magic)) return INVALID;
  o->magic = 0;
  free(o);
  return OK;
}

int cuCtxGetCurrent(void **ctx);

int cublasLtCreate(object **h) {
  INJECTED();
  void *ctx = NULL;
  if (cuCtxGetCurrent(&ctx) || !ctx) return NOT_INITIALIZED;
  return create(h, MAGIC_HANDLE);
}

int cublasLtDestroy(object *h) { return destroy(h, MAGIC_HANDLE); }

int cublasLtMatmulDescCreate(object **d, int compute, int scale) {
  if ((compute != COMPUTE_32F && compute != COMPUTE_TF32) || scale != R_32F) return NOT_SUPPORTED;
  int bad = create(d, MAGIC_DESC);
  if (!bad) (*d)->compute = compute, (*d)->epilogue = EPI_DEFAULT, (*d)->bias_type = -1;
  return bad;
}

int cublasLtMatmulDescDestroy(object *d) { return destroy(d, MAGIC_DESC); }

int cublasLtMatmulDescSetAttribute(object *d, int name, const void *v, size_t bytes) {
  if (!is(d, MAGIC_DESC) || !v || bytes != (name == DESC_BIAS ? 8 : 4)) return INVALID;
  int value;
  memcpy(&value, v, sizeof value);
  switch (name) {
  case DESC_TRANSA: case DESC_TRANSB:
    d->trans[name - DESC_TRANSA] = value;
    return value == 0 || value == 1 ? OK : INVALID;
  case DESC_EPILOGUE: d->epilogue = value; return OK;
  case DESC_BIAS: memcpy(&d->bias, v, sizeof d->bias); return OK;
  case DESC_BIAS_TYPE: d->bias_type = value; return OK;
  }
  return NOT_SUPPORTED;
}

int cublasLtMatrixLayoutCreate(object **l, int type, uint64_t rows, uint64_t cols, int64_t ld) {
  if (rows < 1 || cols < 1 || ld < (int64_t)rows) return INVALID;
  if (type != R_32F && type != R_16BF) return NOT_SUPPORTED;
  int bad = create(l, MAGIC_LAYOUT);
  if (!bad) (*l)->type = type, (*l)->rows = (int64_t)rows, (*l)->cols = (int64_t)cols, (*l)->ld = ld;
  return bad;
}

int cublasLtMatrixLayoutDestroy(object *l) { return destroy(l, MAGIC_LAYOUT); }

int cublasLtMatmulPreferenceCreate(object **p) {
  int bad = create(p, MAGIC_PREF);
  if (!bad) {
    (*p)->reductions = ~0u;
    for (int i = 0; i < 4; i++) (*p)->alignment[i] = 256;
  }
  return bad;
}

int cublasLtMatmulPreferenceDestroy(object *p) { return destroy(p, MAGIC_PREF); }

int cublasLtMatmulPreferenceSetAttribute(object *p, int name, const void *v, size_t bytes) {
  if (!is(p, MAGIC_PREF) || !v || bytes != (name == PREF_WORKSPACE ? 8 : 4)) return INVALID;
  if (name == PREF_WORKSPACE) memcpy(&p->workspace, v, 8);
  else if (name == PREF_REDUCTIONS) memcpy(&p->reductions, v, 4);
  else if (name >= PREF_ALIGNMENT && name < PREF_ALIGNMENT + 4) memcpy(&p->alignment[name - PREF_ALIGNMENT], v, 4);
  else return NOT_SUPPORTED;
  return OK;
}

// fits checks the matrices of a product and gives its inner size, 0 if they do not fit.
static int64_t fits(const object *d, const object *a, const object *b, const object *c, const object *o) {
  if (!is(d, MAGIC_DESC) || !is(a, MAGIC_LAYOUT) || !is(b, MAGIC_LAYOUT) || !is(c, MAGIC_LAYOUT) || !is(o, MAGIC_LAYOUT)) return 0;
  int64_t m = d->trans[0] ? a->cols : a->rows, k = d->trans[0] ? a->rows : a->cols;
  int64_t k2 = d->trans[1] ? b->cols : b->rows, n = d->trans[1] ? b->rows : b->cols;
  if (k != k2 || o->rows != m || o->cols != n || c->rows != m || c->cols != n) return 0;
  return k;
}

// offered: inputs of one type, an output of that type or float32, C as D, and an epilogue
// that there is, with a bias of D's type.
static int offered(const object *d, const object *a, const object *b, const object *c, const object *o) {
  if (a->type != b->type || c->type != o->type || (o->type != a->type && o->type != R_32F)) return 0;
  if (d->compute == COMPUTE_TF32 && a->type != R_32F) return 0;
  int bias = d->epilogue == EPI_BIAS || d->epilogue == EPI_RELU_BIAS;
  if (!bias && d->epilogue != EPI_DEFAULT && d->epilogue != EPI_RELU) return 0;
  return !bias || (d->bias_type < 0 ? o->type : d->bias_type) == o->type;
}

// cublasLtMatmulHeuristicResult_t; an algorithm of ours is {magic, number, alignment}.
typedef struct {
  uint64_t algo[8];
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
} proposal;

// What the algorithms need. The last splits the sum in place, nondeterministically here.
static const size_t workspaces[] = {0, 4096 + 16, 1 << 20, 64 << 20, 0};
enum { ALGOS = 5, IN_PLACE = 4 };

int cublasLtMatmulAlgoGetHeuristic(object *h, object *d, object *a, object *b, object *c, object *o, object *pref, int room,
                                   proposal *list, int *got) {
  INJECTED();
  if (!is(h, MAGIC_HANDLE) || !is(pref, MAGIC_PREF) || room < 1 || !list || !got || !fits(d, a, b, c, o)) return INVALID;
  *got = 0;
  if (!offered(d, a, b, c, o)) return NOT_SUPPORTED;
  for (int i = ALGOS - 1; i >= 0 && *got < room; i--) {
    if (workspaces[i] > pref->workspace || (i == IN_PLACE && !(pref->reductions & REDUCTION_INPLACE))) continue;
    list[(*got)++] = (proposal){.algo = {MAGIC_ALGO, (uint64_t)i, pref->alignment[0]}, .workspace = workspaces[i], .waves = 1};
  }
  return *got ? OK : NOT_SUPPORTED;
}

typedef struct {
  int trans[2], epilogue, tf32, in_place;
  float beta;
  int64_t k;
  shape a, b, c, d, bias; // rank 2, as (columns, rows) at strides (ld, 1); the bias rank 1
  const void *at_a, *at_b, *at_c, *at_bias;
  void *at_d, *workspace;
  size_t bytes;
} job;

static shape matrix(const object *l) {
  return (shape){.type = l->type == R_16BF ? FAKE_BFLOAT16 : FAKE_FLOAT, .rank = 2, .dims = {l->cols, l->rows}, .strides = {l->ld, 1}};
}

// across gives x transposed if asked: rows of length k for dot products.
static float *across(float *x, int64_t cols, int64_t rows, int turn) {
  if (!turn) return x;
  float *y = malloc((size_t)(cols * rows) * sizeof *y);
  for (int64_t i = 0; i < cols; i++)
    for (int64_t j = 0; j < rows; j++) y[j * cols + i] = x[i * rows + j];
  free(x);
  return y;
}

static void run(void *arg) {
  const job *j = arg;
  if (j->bytes) memset(j->workspace, 0x7e, j->bytes);
  // dense A is (columns, rows): op(A)'s rows are runs of k where A is transposed
  float *a = across(tensor_load(&j->a, j->at_a, j->tf32), j->a.dims[0], j->a.dims[1], !j->trans[0]);
  float *b = across(tensor_load(&j->b, j->at_b, j->tf32), j->b.dims[0], j->b.dims[1], j->trans[1]);
  float *bias = j->at_bias ? tensor_load(&j->bias, j->at_bias, 0) : NULL;
  float *c = j->beta != 0 ? tensor_load(&j->c, j->at_c, 0) : NULL;
  int64_t m = j->d.dims[1], n = j->d.dims[0], k = j->k;
  float *d = malloc((size_t)(m * n) * sizeof *d);
  static unsigned runs;
  float wrong = j->in_place ? 1e-3f * (float)(1 + __atomic_add_fetch(&runs, 1, __ATOMIC_RELAXED) % 7) : 0;
  for (int64_t col = 0; col < n; col++)
    for (int64_t row = 0; row < m; row++) {
      const float *x = a + row * k, *y = b + col * k;
      double v = wrong + tensor_dot(x, y, k);
      if (c) v += j->beta * c[col * m + row];
      if (bias) v += bias[row];
      if ((j->epilogue & EPI_RELU) && !(v > 0)) v = 0;
      d[col * m + row] = (float)v;
    }
  tensor_store(&j->d, j->at_d, d);
  free(a), free(b), free(c), free(bias), free(d);
}

static int aligned(const void *p, uint64_t to) { return (uintptr_t)p % to == 0; }

int cublasLtMatmul(object *h, object *desc, const float *alpha, const void *a, object *ad, const void *b, object *bd,
                   const float *beta, const void *c, object *cd, void *d, object *dd, const uint64_t *algo, void *workspace,
                   size_t bytes, void *stream) {
  INJECTED();
  int64_t k = fits(desc, ad, bd, cd, dd);
  if (!is(h, MAGIC_HANDLE) || !k || !alpha || !beta || !a || !b || !c || !d || *alpha != 1) return INVALID;
  if (!algo || algo[0] != MAGIC_ALGO || algo[1] >= ALGOS || !offered(desc, ad, bd, cd, dd)) return NOT_SUPPORTED;
  size_t needs = workspaces[algo[1]];
  uint64_t to = algo[2] < 16 ? algo[2] : 16;
  if (bytes < needs || (needs && (!workspace || !aligned(workspace, 16)))) return INVALID;
  if (!aligned(a, to) || !aligned(b, to) || !aligned(c, to) || !aligned(d, to)) return INVALID;
  int bias = (desc->epilogue & EPI_BIAS) != 0;
  if (bias && (!desc->bias || !aligned(desc->bias, 16))) return INVALID;
  job j = {.trans = {desc->trans[0], desc->trans[1]}, .epilogue = desc->epilogue, .tf32 = desc->compute == COMPUTE_TF32,
           .in_place = algo[1] == IN_PLACE, .beta = *beta, .k = k, .a = matrix(ad), .b = matrix(bd), .c = matrix(cd),
           .d = matrix(dd), .at_a = a, .at_b = b, .at_c = c, .at_bias = bias ? desc->bias : NULL, .at_d = d,
           .workspace = workspace, .bytes = needs};
  j.bias = (shape){.type = j.d.type, .rank = 1, .dims = {j.d.dims[1]}, .strides = {1}};
  fakecuda_span spans[6] = {{a, shape_bytes(&j.a), 0}, {b, shape_bytes(&j.b), 0}, {d, shape_bytes(&j.d), 1}};
  int n = 3;
  if (*beta != 0) spans[n++] = (fakecuda_span){c, shape_bytes(&j.c), 0};
  if (bias) spans[n++] = (fakecuda_span){desc->bias, shape_bytes(&j.bias), 0};
  if (needs) spans[n++] = (fakecuda_span){workspace, needs, 1};
  if (fakecuda_unready(stream, &desc->ran)) return EXECUTION_FAILED;
  job *keep = malloc(sizeof *keep);
  *keep = j;
  return fakecuda_enqueue(stream, "product", run, keep, spans, n) ? EXECUTION_FAILED : OK;
}
