// What cuBLASLt refuses.
#include "check.h"

int cublasLtCreate(void **);
int cublasLtDestroy(void *);
int cublasLtMatmulDescCreate(void **, int, int);
int cublasLtMatmulDescDestroy(void *);
int cublasLtMatmulDescSetAttribute(void *, int, const void *, size_t);
int cublasLtMatrixLayoutCreate(void **, int, uint64_t, uint64_t, int64_t);
int cublasLtMatrixLayoutDestroy(void *);
int cublasLtMatmulPreferenceCreate(void **);
int cublasLtMatmulPreferenceSetAttribute(void *, int, const void *, size_t);

typedef struct {
  uint64_t algo[8];
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
} Proposal;

int cublasLtMatmulAlgoGetHeuristic(void *, void *, void *, void *, void *, void *, void *, int, Proposal *, int *);
int cublasLtMatmul(void *, void *, const void *, const void *, void *, const void *, void *, const void *, const void *, void *, void *,
                   void *, const void *, void *, size_t, Stream);

enum { NOT_INITIALIZED = 1, INVALID = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };
enum { F32 = 0, F64 = 1, F16 = 2, BF16 = 14, COMPUTE_16F = 64, COMPUTE_32F = 68, COMPUTE_TF32 = 77 };
enum { TRANSA = 3, TRANSB = 4, EPILOGUE = 7, BIAS = 8, BIAS_TYPE = 26, AUX_POINTER = 11 };
enum { M = 12, N = 20, K = 32 };

static void *h, *pref;
static Stream s;
static Pointer a, b, d, bias, space;

static void *product(int compute) {
  void *p = NULL;
  OK(cublasLtMatmulDescCreate(&p, compute, F32));
  return p;
}

static void *matrix(int type, int rows, int cols, int ld) {
  void *l = NULL;
  OK(cublasLtMatrixLayoutCreate(&l, type, rows, cols, ld));
  return l;
}

static int attribute(void *p, int name, int value) { return cublasLtMatmulDescSetAttribute(p, name, &value, sizeof value); }

static Proposal list[8];
static int got;

static int propose(void *p, void *la, void *lb, void *ld) {
  got = 0;
  return cublasLtMatmulAlgoGetHeuristic(h, p, la, lb, ld, ld, pref, 8, list, &got);
}

static void descriptors(void) {
  void *p;
  IS(cublasLtMatmulDescCreate(&p, COMPUTE_16F, F32), NOT_SUPPORTED);
  IS(cublasLtMatmulDescCreate(&p, COMPUTE_32F, F64), NOT_SUPPORTED);
  IS(cublasLtMatrixLayoutCreate(&p, F32, 8, 8, 7), INVALID); // columns would overlap
  IS(cublasLtMatrixLayoutCreate(&p, F32, 0, 8, 8), INVALID);
  IS(cublasLtMatrixLayoutCreate(&p, F16, 8, 8, 8), NOT_SUPPORTED);
  p = product(COMPUTE_32F);
  IS(attribute(p, TRANSA, 7), INVALID);
  IS(attribute(p, AUX_POINTER, 0), NOT_SUPPORTED);
  IS(cublasLtMatmulDescSetAttribute(p, TRANSA, &got, 8), INVALID); // the size of another type
  IS(cublasLtMatmulDescSetAttribute(p, BIAS, &got, 4), INVALID);
  IS(cublasLtMatrixLayoutDestroy(p), INVALID);
  OK(cublasLtMatmulDescDestroy(p));
}

static void combinations(void) {
  void *p = product(COMPUTE_32F), *la = matrix(F32, M, K, M), *lb = matrix(F32, K, N, K), *ld = matrix(F32, M, N, M);
  OK(propose(p, la, lb, ld));
  IS(propose(p, lb, la, ld), INVALID);                     // sizes
  IS(propose(p, la, lb, matrix(F32, N, M, N)), INVALID);   // D turned
  IS(propose(la, la, lb, ld), INVALID);                    // not a product
  OK(attribute(p, TRANSB, 1));
  IS(propose(p, la, lb, ld), INVALID);
  OK(attribute(p, TRANSB, 0));
  void *na = matrix(BF16, M, K, M), *nb = matrix(BF16, K, N, K), *nd = matrix(BF16, M, N, M);
  IS(propose(p, la, nb, ld), NOT_SUPPORTED);               // inputs of two types
  IS(propose(p, la, lb, nd), NOT_SUPPORTED);               // float32 into bfloat16
  OK(propose(p, na, nb, ld));
  OK(propose(p, na, nb, nd));
  IS(cublasLtMatmulAlgoGetHeuristic(h, p, na, nb, ld, nd, pref, 8, list, &got), NOT_SUPPORTED); // C and D of two types
  IS(propose(product(COMPUTE_TF32), na, nb, nd), NOT_SUPPORTED);
  OK(propose(product(COMPUTE_TF32), la, lb, ld));
  OK(attribute(p, EPILOGUE, 3));
  IS(propose(p, la, lb, ld), NOT_SUPPORTED);               // no such epilogue
  OK(attribute(p, EPILOGUE, 4));
  OK(attribute(p, BIAS_TYPE, F32));
  IS(propose(p, na, nb, nd), NOT_SUPPORTED);               // the bias is not of D's type
  OK(propose(p, na, nb, ld));
}

typedef struct {
  void *p;
  Pointer a, b, d, space;
  size_t bytes;
  const uint64_t *algo;
  float alpha;
} Call;

static void *la, *lb, *ld;

static int multiply(Call c) {
  float zero = 0;
  return cublasLtMatmul(h, c.p, &c.alpha, (void *)c.a, la, (void *)c.b, lb, &zero, (void *)c.d, ld, (void *)c.d, ld, c.algo, (void *)c.space,
                        c.bytes, s);
}

static void calls(void) {
  la = matrix(F32, M, K, M), lb = matrix(F32, K, N, K), ld = matrix(F32, M, N, M);
  void *p = product(COMPUTE_32F), *biased = product(COMPUTE_32F);
  OK(propose(p, la, lb, ld));
  const Proposal *large = NULL;
  for (int i = 0; i < got; i++)
    if (list[i].workspace > 0) large = &list[i];
  if (!large) {
    printf("no algorithm needs a workspace\n");
    exit(1);
  }
  Call good = {p, a, b, d, space, large->workspace, large->algo, 1}, c = good;
  Graph graph;
  OK(cuStreamBeginCapture_v2(s, THREAD_LOCAL));
  IS(multiply(c), EXECUTION_FAILED); // the first run: code is loaded then
  IS(cuStreamEndCapture(s, &graph), 901);
  OK(multiply(c));
  OK(cuStreamSynchronize(s));
  OK(cuStreamBeginCapture_v2(s, THREAD_LOCAL));
  OK(multiply(c));
  OK(cuStreamEndCapture(s, &graph));
  c.bytes--; IS(multiply(c), INVALID); c = good;
  c.space = 0; IS(multiply(c), INVALID); c = good;
  c.space += 8; IS(multiply(c), INVALID); c = good;
  c.a += 4; IS(multiply(c), INVALID); c = good;   // the algorithm is for aligned matrices
  c.d += 8; IS(multiply(c), INVALID); c = good;
  c.b = 0; IS(multiply(c), INVALID); c = good;
  c.algo = NULL; IS(multiply(c), NOT_SUPPORTED); c = good;
  c.alpha = 2; IS(multiply(c), INVALID); c = good;
  OK(attribute(biased, EPILOGUE, 4));
  c.p = biased; IS(multiply(c), INVALID);         // no bias was given
  Pointer unaligned = bias + 4;
  OK(cublasLtMatmulDescSetAttribute(biased, BIAS, &unaligned, sizeof unaligned));
  IS(multiply(c), INVALID);
  OK(cublasLtMatmulDescSetAttribute(biased, BIAS, &bias, sizeof bias));
  OK(multiply(c));
  OK(cuStreamSynchronize(s));
  // A preference for less memory and less alignment is kept to.
  uint64_t most = 0;
  uint32_t none = 0;
  OK(cublasLtMatmulPreferenceSetAttribute(pref, 1, &most, sizeof most));
  OK(cublasLtMatmulPreferenceSetAttribute(pref, 3, &none, sizeof none));
  OK(propose(p, la, lb, ld));
  for (int i = 0; i < got; i++) IS(list[i].workspace, 0);
  // columns further apart than the memory has room for, last, as the context is lost
  ld = matrix(F32, M, N, M + 4);
  IS(multiply(good), EXECUTION_FAILED);
  IS(cuStreamSynchronize(s), 700);
}

int main(void) {
  OK(cuInit(0));
  IS(cublasLtCreate(&h), NOT_INITIALIZED); // no context
  begin();
  OK(cublasLtCreate(&h));
  OK(cublasLtMatmulPreferenceCreate(&pref));
  uint64_t most = 32 << 20;
  OK(cublasLtMatmulPreferenceSetAttribute(pref, 1, &most, sizeof most));
  OK(cuStreamCreate(&s, NON_BLOCKING));
  OK(cuMemAlloc_v2(&a, 4 * M * K));
  OK(cuMemAlloc_v2(&b, 4 * K * N));
  OK(cuMemAlloc_v2(&d, 4 * M * N));
  OK(cuMemAlloc_v2(&bias, 256));
  OK(cuMemAlloc_v2(&space, 32 << 20));
  descriptors();
  combinations();
  calls();
  return failures != 0;
}
