// libcuda.so.1: what the engine never calls, but the real cuDNN 9 must find before it opens
// its parts. It calls these for a GPU only, and then they refuse.
#include "state.hpp"

#define ABSENT(name) \
  API CUresult name() { return fakeRefuse(801 /* CUDA_ERROR_NOT_SUPPORTED */, #name, "not played"); }

ABSENT(cuModuleLoadData)
ABSENT(cuTensorMapEncodeTiled)
ABSENT(cuTensorMapEncodeIm2col)
ABSENT(cuCtxGetLimit)
ABSENT(cuCtxPopCurrent)
ABSENT(cuCtxPushCurrent)
ABSENT(cuStreamGetCtx)
ABSENT(cuStreamGetGreenCtx)
ABSENT(cuLinkCreate)
ABSENT(cuLinkAddData)
ABSENT(cuLinkComplete)
ABSENT(cuLinkDestroy)
ABSENT(cuLibraryLoadData)
ABSENT(cuLibraryLoadFromFile)
ABSENT(cuLibraryGetKernel)
ABSENT(cuLibraryUnload)
ABSENT(cuKernelSetAttribute)
ABSENT(cuKernelGetAttribute)
ABSENT(cuKernelGetFunction)
ABSENT(cuOccupancyMaxPotentialClusterSize)
ABSENT(cuLaunchCooperativeKernel)
ABSENT(cuLaunchKernelEx)
