// The functions of cuDNN that gocaffe calls, declared by hand: handles and
// descriptors are pointers, enumerations are ints, all return a cudnnStatus_t.
// The same text holds for cuDNN 8.9 and 9; headers_test.go compares it with
// NVIDIA's where they are at hand.
//
//  X(name, (parameters), (arguments))

#define GC_CUDNN_SYMS(X)                                                                                                   \
  X(cudnnCreate, (void **handle), (handle))                                                                          \
  X(cudnnDestroy, (void *handle), (handle))                                                                          \
  X(cudnnSetStream, (void *handle, void *stream), (handle, stream))                                                  \
  X(cudnnCreateTensorDescriptor, (void **desc), (desc))                                                              \
  X(cudnnSetTensorNdDescriptor, (void *desc, int type, int axes, const int *dims, const int *strides),               \
    (desc, type, axes, dims, strides))                                                                               \
  X(cudnnDestroyTensorDescriptor, (void *desc), (desc))                                                              \
  X(cudnnCreateFilterDescriptor, (void **desc), (desc))                                                              \
  X(cudnnSetFilterNdDescriptor, (void *desc, int type, int format, int axes, const int *dims),                       \
    (desc, type, format, axes, dims))                                                                                \
  X(cudnnDestroyFilterDescriptor, (void *desc), (desc))                                                              \
  X(cudnnCreateConvolutionDescriptor, (void **desc), (desc))                                                         \
  X(cudnnSetConvolutionNdDescriptor,                                                                                 \
    (void *desc, int axes, const int *pad, const int *stride, const int *dilation, int mode, int compute),           \
    (desc, axes, pad, stride, dilation, mode, compute))                                                              \
  X(cudnnSetConvolutionGroupCount, (void *desc, int groups), (desc, groups))                                         \
  X(cudnnSetConvolutionMathType, (void *desc, int math), (desc, math))                                               \
  X(cudnnDestroyConvolutionDescriptor, (void *desc), (desc))                                                         \
  X(cudnnGetConvolutionForwardAlgorithm_v7,                                                                          \
    (void *handle, void *x, void *w, void *conv, void *y, int room, int *got, gc_cudnn_algo *list),                  \
    (handle, x, w, conv, y, room, got, list))                                                                        \
  X(cudnnGetConvolutionBackwardDataAlgorithm_v7,                                                                     \
    (void *handle, void *w, void *dy, void *conv, void *dx, int room, int *got, gc_cudnn_algo *list),                \
    (handle, w, dy, conv, dx, room, got, list))                                                                      \
  X(cudnnGetConvolutionBackwardFilterAlgorithm_v7,                                                                   \
    (void *handle, void *x, void *dy, void *conv, void *dw, int room, int *got, gc_cudnn_algo *list),                \
    (handle, x, dy, conv, dw, room, got, list))                                                                      \
  X(cudnnGetConvolutionForwardWorkspaceSize,                                                                         \
    (void *handle, void *x, void *w, void *conv, void *y, int algo, size_t *bytes),                                  \
    (handle, x, w, conv, y, algo, bytes))                                                                            \
  X(cudnnGetConvolutionBackwardDataWorkspaceSize,                                                                    \
    (void *handle, void *w, void *dy, void *conv, void *dx, int algo, size_t *bytes),                                \
    (handle, w, dy, conv, dx, algo, bytes))                                                                          \
  X(cudnnGetConvolutionBackwardFilterWorkspaceSize,                                                                  \
    (void *handle, void *x, void *dy, void *conv, void *dw, int algo, size_t *bytes),                                \
    (handle, x, dy, conv, dw, algo, bytes))                                                                          \
  X(cudnnConvolutionForward,                                                                                         \
    (void *handle, const void *alpha, void *xd, const void *x, void *wd, const void *w, void *conv, int algo,        \
     void *workspace, size_t bytes, const void *beta, void *yd, void *y),                                            \
    (handle, alpha, xd, x, wd, w, conv, algo, workspace, bytes, beta, yd, y))                                        \
  X(cudnnConvolutionBackwardData,                                                                                    \
    (void *handle, const void *alpha, void *wd, const void *w, void *dyd, const void *dy, void *conv, int algo,      \
     void *workspace, size_t bytes, const void *beta, void *dxd, void *dx),                                          \
    (handle, alpha, wd, w, dyd, dy, conv, algo, workspace, bytes, beta, dxd, dx))                                    \
  X(cudnnConvolutionBackwardFilter,                                                                                  \
    (void *handle, const void *alpha, void *xd, const void *x, void *dyd, const void *dy, void *conv, int algo,      \
     void *workspace, size_t bytes, const void *beta, void *dwd, void *dw),                                          \
    (handle, alpha, xd, x, dyd, dy, conv, algo, workspace, bytes, beta, dwd, dw))                                    \
  X(cudnnBackendCreateDescriptor, (int type, void **desc), (type, desc))                                             \
  X(cudnnBackendDestroyDescriptor, (void *desc), (desc))                                                             \
  X(cudnnBackendSetAttribute, (void *desc, int name, int type, int64_t count, const void *values),                   \
    (desc, name, type, count, values))                                                                               \
  X(cudnnBackendGetAttribute,                                                                                        \
    (void *desc, int name, int type, int64_t room, int64_t *count, void *values),                                    \
    (desc, name, type, room, count, values))                                                                         \
  X(cudnnBackendFinalize, (void *desc), (desc))                                                                      \
  X(cudnnBackendExecute, (void *handle, void *plan, void *pack), (handle, plan, pack))

// Those that return something else; cudnnGetLastErrorString came with cuDNN 9.
//
//  X(type, name, (parameters))

#define GC_CUDNN_INFO(X)                                                                                                   \
  X(size_t, cudnnGetVersion, (void))                                                                                       \
  X(size_t, cudnnGetCudartVersion, (void))                                                                                 \
  X(const char *, cudnnGetErrorString, (int status))
#define GC_CUDNN_INFO_9(X) X(void, cudnnGetLastErrorString, (char *message, size_t room))
