//go:build cgo && linux

package shim

import (
	"fmt"
	"testing"
)

// TestCudnnHeaders compares cudnn_syms.h, gc_cudnn.h and the numbers of the Go files with
// cudnn.h of 8.9 or 9.
func TestCudnnHeaders(t *testing.T) {
	flags := haveHeaders(t, "cudnn.h", "cuda_runtime_api.h", "crt/host_defines.h")
	text := `#include <cudnn.h>
#include "testdata/headers.hpp"
namespace ours {
#include "gc_cudnn.h"
}
#define gc_cudnn_algo cudnnConvolutionFwdAlgoPerf_t
GC_CUDNN_SYMS(STATUS)
#undef gc_cudnn_algo
GC_CUDNN_INFO(ANY)
#if CUDNN_MAJOR >= 9
GC_CUDNN_INFO_9(ANY)
`
	text += asserts(cudnnValues9) + `static_assert((int)CUDNN_STATUS_NOT_INITIALIZED == ours::GC_CUDNN_NOT_INITIALIZED, "");
#else
` + asserts(cudnnValues8) + `#endif
`
	for _, perf := range []string{"Fwd", "BwdData", "BwdFilter"} {
		text += algoLayout("cudnnConvolution" + perf + "AlgoPerf_t")
	}
	for ours, theirs := range map[string]string{
		"GC_CUDNN_VARIANT_PACK": "CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR", "GC_CUDNN_PACK_IDS": "CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS",
		"GC_CUDNN_PACK_POINTERS": "CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS", "GC_CUDNN_PACK_WORKSPACE": "CUDNN_ATTR_VARIANT_PACK_WORKSPACE",
		"GC_CUDNN_TYPE_INT64": "CUDNN_TYPE_INT64", "GC_CUDNN_TYPE_POINTER": "CUDNN_TYPE_VOID_PTR",
	} {
		text += fmt.Sprintf("static_assert((int)ours::%s == (int)%s, \"%[1]s\");\n", ours, theirs)
	}
	mustCompile(t, flags, text+asserts(cudnnValues))
}

// algoLayout compares gc_cudnn_algo with one of NVIDIA's structs of an algorithm.
func algoLayout(theirs string) string {
	text := fmt.Sprintf("static_assert(sizeof(%s) == sizeof(ours::gc_cudnn_algo), \"%[1]s\");\n", theirs)
	for ours, field := range map[string]string{"algo": "algo", "status": "status", "time": "time", "memory": "memory", "determinism": "determinism", "math": "mathType"} {
		text += fmt.Sprintf("SAME_FIELD(%s, %s, ours::gc_cudnn_algo, %s)\n", theirs, field, ours)
	}
	return text
}

// What has another number in each major version.
var cudnnValues9 = map[string]int{
	"CUDNN_STATUS_NOT_SUPPORTED": cudnnStatusNotSupportedLow,
}

var cudnnValues8 = map[string]int{
	"CUDNN_STATUS_NOT_SUPPORTED": cudnnStatusNotSupported8,
	"CUDNN_STATUS_ARCH_MISMATCH": cudnnStatusArchMismatch8,
}

var cudnnValues = map[string]int{
	"CUDNN_DATA_FLOAT": CudnnFloat, "CUDNN_DATA_BFLOAT16": CudnnBFloat16,
	"CUDNN_DEFAULT_MATH": CudnnDefaultMath, "CUDNN_TENSOR_OP_MATH": CudnnTensorOpMath,
	"CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION": CudnnAllowConversionMath, "CUDNN_FMA_MATH": CudnnFMAMath,
	"CUDNN_TENSOR_NCHW": cudnnNCHW, "CUDNN_CROSS_CORRELATION": cudnnCrossCorrelation,
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
	"CUDNN_BACKEND_TENSOR_DESCRIPTOR":                                kindTensor,
	"CUDNN_TYPE_HANDLE":                                              typeHandle,
	"CUDNN_TYPE_DATA_TYPE":                                           typeDataType,
	"CUDNN_TYPE_BOOLEAN":                                             typeBoolean,
	"CUDNN_TYPE_INT64":                                               typeInt64,
	"CUDNN_TYPE_FLOAT":                                               typeFloat,
	"CUDNN_TYPE_DOUBLE":                                              typeDouble,
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
	"CUDNN_ATTR_ENGINE_GLOBAL_INDEX":                                 attrEngineIndex,
	"CUDNN_ATTR_ENGINE_NUMERICAL_NOTE":                               attrEngineNotes,
	"CUDNN_NUMERICAL_NOTE_TENSOR_CORE":                               NoteTensorCore,
	"CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS":                       NoteDownConvertInputs,
	"CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION":               NoteReducedReduction,
	"CUDNN_NUMERICAL_NOTE_FFT":                                       NoteFFT,
	"CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC":                          NoteNondeterministic,
	"CUDNN_NUMERICAL_NOTE_WINOGRAD":                                  NoteWinograd,
}
