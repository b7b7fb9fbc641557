//go:build cgo && linux

package shim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// includes are the folders below which NVIDIA's headers may lie: those that
// GOCAFFE_NVIDIA_HEADERS lists, a toolkit's, and python's wheels.
func includes() []string {
	var list []string
	for _, root := range append(filepath.SplitList(os.Getenv("GOCAFFE_NVIDIA_HEADERS")), "/usr/local/cuda", "/usr") {
		list = append(list, root)
		for _, deeper := range []string{"include", "*/include", "*/*/include"} {
			found, _ := filepath.Glob(filepath.Join(root, deeper))
			list = append(list, found...)
		}
	}
	out, err := exec.Command("python3", "-c", "import site; print('\\n'.join(site.getsitepackages()))").Output()
	if err != nil {
		return list
	}
	for _, root := range strings.Fields(string(out)) {
		found, _ := filepath.Glob(filepath.Join(root, "nvidia", "*", "include"))
		list = append(list, found...)
	}
	return list
}

// haveHeader finds the compiler's -I flags for headers, or skips the test.
func haveHeader(t *testing.T, headers ...string) []string {
	t.Helper()
	var flags []string
	for _, h := range headers {
		found := false
		for _, dir := range includes() {
			if _, err := os.Stat(filepath.Join(dir, h)); err == nil {
				flags, found = append(flags, "-I"+dir), true
				break
			}
		}
		if !found {
			t.Skipf("no %s: pip install nvidia-cudnn-cu12 nvidia-cublas-cu12 nvidia-cuda-runtime-cu12 nvidia-cuda-nvcc-cu12, or name the folders in GOCAFFE_NVIDIA_HEADERS", h)
		}
	}
	return flags
}

// compile checks C++ text. The headers of half-precision types are stand-ins: theirs
// need one more library, and no prototype of ours names one of theirs.
func compile(t *testing.T, flags []string, text string) {
	t.Helper()
	cxx, err := exec.LookPath("g++")
	if err != nil {
		t.Skip("no g++: ", err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"cuda_fp16.h": "struct __half {};", "cuda_bf16.h": "struct __nv_bfloat16 {};", "check.cpp": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	args := append([]string{"-std=c++17", "-fsyntax-only", "-w", "-I" + dir, "-I."}, flags...)
	if out, err := exec.Command(cxx, append(args, filepath.Join(dir, "check.cpp"))...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// asserts is a static_assert a value.
func asserts(values map[string]int) string {
	var b strings.Builder
	for name, v := range values {
		fmt.Fprintf(&b, "static_assert((int)%s == %d, \"%s\");\n", name, v, name)
	}
	return b.String()
}

func TestCudnnHeaders(t *testing.T) {
	flags := haveHeader(t, "cudnn.h", "cuda_runtime_api.h", "crt/host_defines.h")
	compile(t, flags, `#include <cudnn.h>
#include "testdata/headers.hpp"
#define gc_cudnn_algo cudnnConvolutionFwdAlgoPerf_t
#include "cudnn_syms.h"
GC_CUDNN_SYMS(X)
#undef gc_cudnn_algo
`+algoLayout("cudnnConvolutionFwdAlgoPerf_t")+algoLayout("cudnnConvolutionBwdDataAlgoPerf_t")+algoLayout("cudnnConvolutionBwdFilterAlgoPerf_t")+asserts(cudnnValues))
}

// algoLayout checks the offsets of one of NVIDIA's structs of an algorithm.
func algoLayout(theirs string) string {
	return fmt.Sprintf(`static_assert(sizeof(%[1]s) == 48 && __builtin_offsetof(%[1]s, status) == 4 && __builtin_offsetof(%[1]s, memory) == 16 &&
	__builtin_offsetof(%[1]s, determinism) == 24 && __builtin_offsetof(%[1]s, mathType) == 28, "%[1]s");
`, theirs)
}

func TestCublasLtHeaders(t *testing.T) {
	flags := haveHeader(t, "cublasLt.h", "cuda_runtime_api.h", "crt/host_defines.h")
	compile(t, flags, `#include <cublasLt.h>
#include "testdata/headers.hpp"
#define gc_cublaslt_algo cublasLtMatmulHeuristicResult_t
#include "cublaslt_syms.h"
GC_CUBLASLT_SYMS(X)
static_assert(sizeof(cublasLtMatmulHeuristicResult_t) == 96 && __builtin_offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize) == 64 &&
	__builtin_offsetof(cublasLtMatmulHeuristicResult_t, state) == 72, "cublasLtMatmulHeuristicResult_t");
`+asserts(cublasLtValues))
}

// TestAlgoStructs pins our side of the structs that the header tests compare.
func TestAlgoStructs(t *testing.T) {
	compile(t, nil, `#include "gc_cudnn.h"
#include "gc_cublaslt.h"
static_assert(sizeof(gc_cudnn_algo) == 48 && __builtin_offsetof(gc_cudnn_algo, status) == 4 && __builtin_offsetof(gc_cudnn_algo, memory) == 16 &&
	__builtin_offsetof(gc_cudnn_algo, determinism) == 24 && __builtin_offsetof(gc_cudnn_algo, math) == 28, "");
static_assert(sizeof(gc_cublaslt_algo) == 96 && __builtin_offsetof(gc_cublaslt_algo, workspace) == 64 &&
	__builtin_offsetof(gc_cublaslt_algo, status) == 72, "");
`)
}

var cudnnValues = map[string]int{
	"CUDNN_DATA_FLOAT": CudnnFloat, "CUDNN_DATA_BFLOAT16": CudnnBFloat16,
	"CUDNN_DEFAULT_MATH": CudnnDefaultMath, "CUDNN_TENSOR_OP_MATH": CudnnTensorOpMath,
	"CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION": CudnnAllowConversionMath, "CUDNN_FMA_MATH": CudnnFMAMath,
	"CUDNN_TENSOR_NCHW": cudnnNCHW, "CUDNN_CROSS_CORRELATION": cudnnCrossCorrelation,
	"CUDNN_STATUS_NOT_SUPPORTED":                                     cudnnStatusNotSupportedLow,
	"CUDNN_BACKEND_POINTWISE_DESCRIPTOR":                             kindPointwise,
	"CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR":                           kindConvolution,
	"CUDNN_BACKEND_ENGINE_DESCRIPTOR":                                kindEngine,
	"CUDNN_BACKEND_ENGINECFG_DESCRIPTOR":                             kindEngineConfig,
	"CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR":                            kindEngineHeuristic,
	"CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR":                        kindExecutionPlan,
	"CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR":         kindConvForward,
	"CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR": kindConvGradWeights,
	"CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR":   kindConvGradData,
	"CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR":                   kindPointwiseOp,
	"CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR":                        kindOperationGraph,
	"CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR":                          16,
	"CUDNN_BACKEND_TENSOR_DESCRIPTOR":                                kindTensor,
	"CUDNN_TYPE_HANDLE":                                              typeHandle,
	"CUDNN_TYPE_DATA_TYPE":                                           typeDataType,
	"CUDNN_TYPE_BOOLEAN":                                             typeBoolean,
	"CUDNN_TYPE_INT64":                                               typeInt64,
	"CUDNN_TYPE_FLOAT":                                               typeFloat,
	"CUDNN_TYPE_DOUBLE":                                              typeDouble,
	"CUDNN_TYPE_VOID_PTR":                                            6,
	"CUDNN_TYPE_CONVOLUTION_MODE":                                    typeConvMode,
	"CUDNN_TYPE_HEUR_MODE":                                           typeHeurMode,
	"CUDNN_TYPE_NUMERICAL_NOTE":                                      typeNote,
	"CUDNN_TYPE_POINTWISE_MODE":                                      typePointwise,
	"CUDNN_TYPE_BACKEND_DESCRIPTOR":                                  typeDescriptor,
	"CUDNN_POINTWISE_ADD":                                            pointwiseAdd,
	"CUDNN_POINTWISE_RELU_FWD":                                       pointwiseReLU,
	"CUDNN_HEUR_MODE_A":                                              heurModeA,
	"CUDNN_HEUR_MODE_FALLBACK":                                       heurFallback,
	"CUDNN_ATTR_POINTWISE_MODE":                                      attrPointwiseMode,
	"CUDNN_ATTR_POINTWISE_MATH_PREC":                                 attrPointwisePrecision,
	"CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE":                     attrReLUSlope,
	"CUDNN_ATTR_CONVOLUTION_COMP_TYPE":                               attrConvCompute,
	"CUDNN_ATTR_CONVOLUTION_CONV_MODE":                               attrConvMode,
	"CUDNN_ATTR_CONVOLUTION_DILATIONS":                               attrConvDilations,
	"CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES":                          attrConvStrides,
	"CUDNN_ATTR_CONVOLUTION_POST_PADDINGS":                           attrConvPostPaddings,
	"CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS":                            attrConvPrePaddings,
	"CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS":                            attrConvAxes,
	"CUDNN_ATTR_ENGINEHEUR_MODE":                                     attrHeurMode,
	"CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH":                          attrHeurGraph,
	"CUDNN_ATTR_ENGINEHEUR_RESULTS":                                  attrHeurResults,
	"CUDNN_ATTR_ENGINECFG_ENGINE":                                    attrConfigEngine,
	"CUDNN_ATTR_EXECUTION_PLAN_HANDLE":                               attrPlanHandle,
	"CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG":                        attrPlanConfig,
	"CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE":                       attrPlanWorkspace,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA":                 attrForward,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA":                  attrForward + 1,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC":             attrForward + 2,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W":                     attrForward + 3,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X":                     attrForward + 4,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y":                     attrForward + 5,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC":            attrGradData + 2,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W":                    attrGradData + 3,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX":                   attrGradData + 4,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY":                   attrGradData + 5,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC":          attrGradWeights + 2,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW":                 attrGradWeights + 3,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X":                  attrGradWeights + 4,
	"CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY":                 attrGradWeights + 5,
	"CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR":                   attrPointwise,
	"CUDNN_ATTR_OPERATION_POINTWISE_XDESC":                           attrPointwiseX,
	"CUDNN_ATTR_OPERATION_POINTWISE_BDESC":                           attrPointwiseB,
	"CUDNN_ATTR_OPERATION_POINTWISE_YDESC":                           attrPointwiseY,
	"CUDNN_ATTR_OPERATIONGRAPH_HANDLE":                               attrGraphHandle,
	"CUDNN_ATTR_OPERATIONGRAPH_OPS":                                  attrGraphOps,
	"CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT":                               attrTensorAlignment,
	"CUDNN_ATTR_TENSOR_DATA_TYPE":                                    attrTensorType,
	"CUDNN_ATTR_TENSOR_DIMENSIONS":                                   attrTensorDims,
	"CUDNN_ATTR_TENSOR_STRIDES":                                      attrTensorStrides,
	"CUDNN_ATTR_TENSOR_UNIQUE_ID":                                    attrTensorID,
	"CUDNN_ATTR_TENSOR_IS_VIRTUAL":                                   attrTensorVirtual,
	"CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS":                             1000,
	"CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS":                          1001,
	"CUDNN_ATTR_VARIANT_PACK_WORKSPACE":                              1003,
	"CUDNN_ATTR_ENGINE_GLOBAL_INDEX":                                 attrEngineIndex,
	"CUDNN_ATTR_ENGINE_NUMERICAL_NOTE":                               attrEngineNotes,
	"CUDNN_NUMERICAL_NOTE_TENSOR_CORE":                               NoteTensorCore,
	"CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS":                       NoteDownConvertInputs,
	"CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION":               NoteReducedReduction,
	"CUDNN_NUMERICAL_NOTE_FFT":                                       NoteFFT,
	"CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC":                          NoteNondeterministic,
	"CUDNN_NUMERICAL_NOTE_WINOGRAD":                                  NoteWinograd,
	"CUDNN_NON_DETERMINISTIC":                                        0,
}

var cublasLtValues = map[string]int{
	"CUDA_R_32F": CublasF32, "CUDA_R_16BF": CublasBF16,
	"CUBLAS_COMPUTE_32F": CublasCompute32F, "CUBLAS_COMPUTE_32F_FAST_TF32": CublasComputeTF32,
	"CUBLAS_STATUS_NOT_SUPPORTED": cublasNotSupported, "CUBLAS_STATUS_ARCH_MISMATCH": cublasArchMismatch,
	"CUBLAS_OP_N": 0, "CUBLAS_OP_T": 1,
	"CUBLASLT_MATMUL_DESC_TRANSA": descTransA, "CUBLASLT_MATMUL_DESC_TRANSB": descTransB,
	"CUBLASLT_MATMUL_DESC_EPILOGUE": descEpilogue, "CUBLASLT_MATMUL_DESC_BIAS_POINTER": 8,
	"CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE": descBiasType,
	"CUBLASLT_EPILOGUE_DEFAULT":           epilogueDefault, "CUBLASLT_EPILOGUE_RELU": epilogueReLU,
	"CUBLASLT_EPILOGUE_BIAS": epilogueBias, "CUBLASLT_EPILOGUE_RELU_BIAS": epilogueReLU | epilogueBias,
	"CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES":   prefWorkspace,
	"CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK": prefReductions,
	"CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES": prefAlignment,
	"CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES": prefAlignment + 3,
	"CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE":     reductionComputeType,
}
