// What cuDNN's legacy API refuses.
#include "cudnn.h"

int cudnnCreateTensorDescriptor(void **);
int cudnnSetTensorNdDescriptor(void *, int, int, const int *, const int *);
int cudnnDestroyTensorDescriptor(void *);
int cudnnCreateFilterDescriptor(void **);
int cudnnSetFilterNdDescriptor(void *, int, int, int, const int *);
int cudnnCreateConvolutionDescriptor(void **);
int cudnnSetConvolutionNdDescriptor(void *, int, const int *, const int *, const int *, int, int);
int cudnnSetConvolutionGroupCount(void *, int);
int cudnnSetConvolutionMathType(void *, int);
int cudnnGetConvolutionForwardWorkspaceSize(void *, void *, void *, void *, void *, int, size_t *);
int cudnnConvolutionForward(void *, const float *, void *, const void *, void *, const void *, void *, int, void *, size_t, const float *,
                            void *, void *);

static void *h, *x, *w, *y, *conv;
static Pointer at_x, at_w, at_y, space;
static Stream s;

static int tensor(void *d, int type, int n, int c, int height, int width, int row) {
  int dims[] = {n, c, height, width}, strides[] = {c * height * row, height * row, row, 1};
  return cudnnSetTensorNdDescriptor(d, type, 4, dims, strides);
}

static int filter(int type, int format, int k, int c, int r) {
  int dims[] = {k, c, r, r};
  return cudnnSetFilterNdDescriptor(w, type, format, 4, dims);
}

static int convolution(int pad, int stride, int dilation, int mode, int compute) {
  int p[] = {pad, pad}, q[] = {stride, stride}, d[] = {dilation, dilation};
  return cudnnSetConvolutionNdDescriptor(conv, 2, p, q, d, mode, compute);
}

static int forward(int algo, Pointer a, Pointer b, Pointer out, Pointer at, size_t bytes, float beta) {
  float one = 1;
  return cudnnConvolutionForward(h, &one, x, (void *)a, w, (void *)b, conv, algo, (void *)at, bytes, &beta, y, (void *)out);
}

enum { N = 2, C = 4, K = 6, SIZE = 9, X_BYTES = 4 * N * C * SIZE * SIZE, W_BYTES = 4 * K * C * 9, Y_BYTES = 4 * N * K * SIZE * SIZE };

static void good(void) {
  OK(tensor(x, FLOAT, N, C, SIZE, SIZE, SIZE));
  OK(tensor(y, FLOAT, N, K, SIZE, SIZE, SIZE));
  OK(filter(FLOAT, 0, K, C, 3));
  OK(convolution(1, 1, 1, 1, FLOAT));
  OK(cudnnSetConvolutionGroupCount(conv, 1));
  OK(cudnnSetConvolutionMathType(conv, 3));
}

static void descriptors(void) {
  int dims[] = {N, C, SIZE, SIZE}, zero[] = {N, 0, SIZE, SIZE}, overlap[] = {C * SIZE * SIZE, SIZE * SIZE - 1, SIZE, 1};
  REFUSED(forward(1, at_x, at_w, at_y, 0, 0, 0), BAD_PARAM, "was not set");
  REFUSED(cudnnSetTensorNdDescriptor(x, FLOAT, 4, dims, NULL), BAD_NULL, "no strides");
  REFUSED(cudnnSetTensorNdDescriptor(x, FLOAT, 4, zero, dims), BAD_PARAM, "dimension 1 is 0");
  REFUSED(cudnnSetTensorNdDescriptor(x, FLOAT, 4, dims, zero), BAD_PARAM, "with stride 0");
  REFUSED(cudnnSetTensorNdDescriptor(x, FLOAT, 4, dims, overlap), BAD_PARAM, "overlap");
  REFUSED(cudnnSetTensorNdDescriptor(x, FLOAT, 3, dims, dims), NOT_SUPPORTED, "3 dimensions");
  REFUSED(tensor(x, DOUBLE, N, C, SIZE, SIZE, SIZE), NOT_SUPPORTED, "data type 1");
  REFUSED(tensor(x, FLOAT, 1 << 10, 1 << 10, 1 << 6, 1 << 5, 1 << 5), NOT_SUPPORTED, "2^31");
  REFUSED(tensor(w, FLOAT, N, C, SIZE, SIZE, SIZE), BAD_PARAM, "not a descriptor of this kind");
  REFUSED(filter(FLOAT, 1, K, C, 3), NOT_SUPPORTED, "filter format 1");
  REFUSED(convolution(-1, 1, 1, 1, FLOAT), BAD_PARAM, "pad -1");
  REFUSED(convolution(1, 0, 1, 1, FLOAT), BAD_PARAM, "stride 0");
  REFUSED(convolution(1, 1, 0, 1, FLOAT), BAD_PARAM, "dilation 0");
  REFUSED(convolution(1, 1, 1, 1, HALF), NOT_SUPPORTED, "compute type 2");
  REFUSED(convolution(1, 1, 1, 0, FLOAT), NOT_SUPPORTED, "mode 0"); // a true convolution, not Caffe's
  REFUSED(cudnnSetConvolutionGroupCount(conv, 0), BAD_PARAM, "0 groups");
  REFUSED(cudnnSetConvolutionMathType(conv, 9), BAD_PARAM, "math type 9");
}

static void shapes(void) {
  good();
  OK(tensor(y, FLOAT, N, K, SIZE - 1, SIZE, SIZE));
  REFUSED(forward(1, at_x, at_w, at_y, 0, 0, 0), BAD_PARAM, "do not fit");
  good();
  OK(cudnnSetConvolutionGroupCount(conv, 2));
  REFUSED(forward(1, at_x, at_w, at_y, 0, 0, 0), BAD_PARAM, "do not fit");
  good();
  OK(filter(BFLOAT16, 0, K, C, 3));
  REFUSED(forward(1, at_x, at_w, at_y, 0, 0, 0), NOT_SUPPORTED, "different types");
  good();
}

static void calls(void) {
  size_t needs = 0, fft = 0;
  OK(cudnnGetConvolutionForwardWorkspaceSize(h, x, w, conv, y, 1, &needs));
  REFUSED(cudnnGetConvolutionForwardWorkspaceSize(h, x, w, conv, y, 3, &fft), NOT_SUPPORTED, "algorithm 3");
  REFUSED(cudnnGetConvolutionForwardWorkspaceSize(h, x, w, conv, y, 99, &fft), NOT_SUPPORTED, "algorithm 99");
  if (needs == 0) printf("algorithm 1 needs no workspace\n"), failures++;
  REFUSED(forward(1, at_x, at_w, at_y, space, needs - 1, 0), BAD_PARAM, "algorithm 1 needs");
  REFUSED(forward(1, at_x, at_w, at_y, 0, needs, 0), BAD_PARAM, "algorithm 1 needs");
  REFUSED(forward(1, at_x, at_w, at_y, space + 4, needs, 0), BAD_ALIGNMENT, "workspace is not aligned");
  REFUSED(forward(1, at_x + 4, at_w, at_y, space, needs, 0), BAD_ALIGNMENT, "not aligned to 16");
  REFUSED(forward(1, at_x, 0, at_y, space, needs, 0), BAD_NULL, "is missing");
  REFUSED(forward(1, at_x, at_w, at_y, space, needs, 1), NOT_SUPPORTED, "factors 1 and 1");
  REFUSED(forward(3, at_x, at_w, at_y, space, needs, 0), NOT_SUPPORTED, "algorithm 3");
  OK(cudnnSetStream(h, NULL));
  REFUSED(forward(1, at_x, at_w, at_y, space, needs, 0), EXECUTION_FAILED, "driver answers 400"); // the default stream
  OK(cudnnSetStream(h, s));
  Graph graph;
  OK(cuStreamBeginCapture_v2(s, THREAD_LOCAL));
  REFUSED(forward(1, at_x, at_w, at_y, space, needs, 0), EXECUTION_FAILED, "first run"); // code is loaded then
  IS(cuStreamEndCapture(s, &graph), 901);
  OK(forward(1, at_x, at_w, at_y, space, needs, 0));
  OK(cuStreamSynchronize(s));
  OK(cuStreamBeginCapture_v2(s, THREAD_LOCAL));
  OK(forward(1, at_x, at_w, at_y, space, needs, 0));
  OK(cuStreamEndCapture(s, &graph));
  // Rows further apart than they are long make the tensor larger than its memory: last, as the context is lost.
  OK(tensor(y, FLOAT, N, K, SIZE, SIZE, SIZE + 1));
  REFUSED(forward(1, at_x, at_w, at_y, space, needs, 0), EXECUTION_FAILED, "driver answers 700");
  IS(cuStreamSynchronize(s), 700);
}

int main(void) {
  OK(cuInit(0));
  REFUSED(cudnnCreate(&h), NOT_INITIALIZED, "no CUDA context");
  begin();
  REFUSED(cudnnCreate(NULL), BAD_NULL, "no place");
  OK(cudnnCreate(&h));
  OK(cuStreamCreate(&s, NON_BLOCKING));
  OK(cudnnSetStream(h, s));
  OK(cudnnCreateTensorDescriptor(&x));
  OK(cudnnCreateTensorDescriptor(&y));
  OK(cudnnCreateFilterDescriptor(&w));
  OK(cudnnCreateConvolutionDescriptor(&conv));
  OK(cuMemAlloc_v2(&at_x, X_BYTES));
  OK(cuMemAlloc_v2(&at_w, W_BYTES));
  OK(cuMemAlloc_v2(&at_y, Y_BYTES));
  OK(cuMemAlloc_v2(&space, 1 << 20));
  descriptors();
  shapes();
  calls();
  REFUSED(cudnnDestroyTensorDescriptor(w), BAD_PARAM, "no descriptor of this kind");
  OK(cudnnDestroyTensorDescriptor(x));
  OK(cudnnDestroy(h));
  return failures != 0;
}
