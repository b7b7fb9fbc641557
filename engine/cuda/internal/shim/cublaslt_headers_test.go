//go:build cgo && linux

package shim

import (
	"fmt"
	"testing"
)

// TestCublasLtHeaders compares cublaslt_syms.h, gc_cublaslt.h and the numbers of the Go
// files with cublasLt.h.
func TestCublasLtHeaders(t *testing.T) {
	flags := haveHeaders(t, "cublasLt.h", "cuda_runtime_api.h", "crt/host_defines.h")
	text := `#include <cublasLt.h>
#include "testdata/headers.hpp"
namespace ours {
#include "gc_cublaslt.h"
}
#define gc_cublaslt_algo cublasLtMatmulHeuristicResult_t
GC_CUBLASLT_SYMS(STATUS)
#undef gc_cublaslt_algo
GC_CUBLASLT_INFO(ANY)
static_assert(sizeof(cublasLtMatmulHeuristicResult_t) == sizeof(ours::gc_cublaslt_algo), "");
static_assert(sizeof(cublasLtMatmulAlgo_t) == sizeof(ours::gc_cublaslt_matmul::algo), "");
static_assert((int)CUBLAS_STATUS_NOT_INITIALIZED == ours::GC_CUBLASLT_NOT_INITIALIZED, "");
static_assert((int)CUBLASLT_MATMUL_DESC_BIAS_POINTER == ours::GC_CUBLASLT_DESC_BIAS_POINTER, "");
`
	for ours, field := range map[string]string{"algo": "algo", "workspace": "workspaceSize", "status": "state", "waves": "wavesCount"} {
		text += fmt.Sprintf("SAME_FIELD(cublasLtMatmulHeuristicResult_t, %s, ours::gc_cublaslt_algo, %s)\n", field, ours)
	}
	mustCompile(t, flags, text+asserts(cublasLtValues))
}

var cublasLtValues = map[string]int{
	"CUDA_R_32F": CublasF32, "CUDA_R_16BF": CublasBF16,
	"CUBLAS_COMPUTE_32F": CublasCompute32F, "CUBLAS_COMPUTE_32F_FAST_TF32": CublasComputeTF32,
	"CUBLAS_STATUS_NOT_SUPPORTED": cublasNotSupported, "CUBLAS_STATUS_ARCH_MISMATCH": cublasArchMismatch,
	"CUBLAS_OP_N": 0, "CUBLAS_OP_T": 1,
	"CUBLASLT_MATMUL_DESC_TRANSA": descTransA, "CUBLASLT_MATMUL_DESC_TRANSB": descTransB,
	"CUBLASLT_MATMUL_DESC_EPILOGUE":       descEpilogue,
	"CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE": descBiasType,
	"CUBLASLT_EPILOGUE_DEFAULT":           epilogueDefault, "CUBLASLT_EPILOGUE_RELU": epilogueReLU,
	"CUBLASLT_EPILOGUE_BIAS": epilogueBias, "CUBLASLT_EPILOGUE_RELU_BIAS": epilogueReLU | epilogueBias,
	"CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES":   prefWorkspace,
	"CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK": prefReductions,
	"CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES": prefAlignment,
	"CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES": prefAlignment + 3,
	"CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE":     reductionComputeType,
}
