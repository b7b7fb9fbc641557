package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The precisions of Config: what a device computes in. A device is opened with one and
// names it in its Info, where net/plan finds it.
const (
	// PrecisionFP32 is float32 throughout: Caffe's numbers.
	PrecisionFP32 = "fp32"
	// PrecisionBF16 lets activations and their gradients be stored, and products be
	// computed, in bfloat16, with sums in float32. Params, their gradients, statistics,
	// losses and the update stay float32. net/plan decides tensor by tensor.
	PrecisionBF16 = "bf16"
	// PrecisionTF32 stores float32 and lets products round their factors to TensorFloat-32.
	// No tensor's type changes: it is the device's own matter.
	PrecisionTF32 = "tf32"
)

// ErrPrecision says that an engine offers a precision but this machine cannot compute in it.
var ErrPrecision = errors.New("this machine lacks the precision")

// ChoosePrecision is the precision that a Config asks the named engine for, fp32 where
// it asks for none. has lists what the engine offers; anything else is an error that
// says so.
func ChoosePrecision(engine, want string, has ...string) (string, error) {
	switch {
	case want == "":
		return PrecisionFP32, nil
	case slices.Contains(has, want):
		return want, nil
	case slices.Contains([]string{PrecisionFP32, PrecisionBF16, PrecisionTF32}, want):
		return "", fmt.Errorf("%s: precision %q: this engine computes in %s only", engine, want, strings.Join(has, " or "))
	}
	return "", fmt.Errorf("%s: no precision %q (known: %s, %s, %s)", engine, want, PrecisionFP32, PrecisionBF16, PrecisionTF32)
}

// Places is a set of an op's inputs or outputs, by index.
type Places uint64

const (
	noPlaces  Places = 0
	allPlaces        = ^noPlaces
)

// Has reports whether i is in the set.
func (p Places) Has(i int) bool { return p == allPlaces || i < 64 && p>>i&1 == 1 }

func places(list ...int) Places {
	var p Places
	for _, i := range list {
		p |= 1 << i
	}
	return p
}

// Narrow tells which inputs and outputs of an op may be BF16 where Infer says F32; each
// may be so on its own, and an engine answers ErrUnsupported to what it lacks. Sums
// are float32 or better inside, and results are rounded once, to the nearest even; only
// PoolGrad may add up overlapping windows in BF16, as oneDNN does, and convolutions with
// 3×3 kernels may round their factors once more after Winograd's transforms; the gradient of
// their weights, F32 as it is, may have been rounded to BF16 (all that cuDNN offers), and so may
// a bias that is added to a BF16 result. The rest
// stays F32: biases, slopes, statistics, labels, losses, what a solver updates, and
// functions that magnify rounding.
func Narrow(op Op) (in, out Places) {
	switch op := op.(type) {
	case Conv:
		return withAdd(op.Epilogue), places(0)
	case ConvGradData:
		return withAdd(op.Epilogue), places(0)
	case Gemm:
		return withAdd(op.Epilogue), places(0)
	case ConvGradWeights:
		return places(0, 1), noPlaces
	case Unary:
		return narrowUnary(op)
	case UnaryGrad:
		return narrowUnary(op.Forward())
	case Reshape, Reorder, Binary, MaxGrad, Sum, Concat, Slice, LRN, LRNGrad:
		return allPlaces, allPlaces
	case Pool, PoolGrad, Broadcast, PReLU, BatchNorm, Normalize, NormalizeGrad:
		return places(0), places(0)
	case BatchNormScale:
		return withAdd(op.Epilogue) &^ places(1), places(0)
	case BatchNormScaleGrad:
		return places(0, 1, 5), places(0)
	case PReLUGrad, BatchNormGrad:
		return places(0, 1), places(0)
	case BroadcastGrad:
		return places(0, 1), noPlaces
	case RandomMask, Pixels:
		return noPlaces, places(0)
	}
	return noPlaces, noPlaces
}

// withAdd is the two inputs of an op before its epilogue's, and the tensor that the
// epilogue adds.
func withAdd(e Epilogue) Places {
	p := places(0, 1)
	if e.Add {
		p |= places(1 + e.Inputs())
	}
	return p
}

// narrowUnary excludes what magnifies the rounding of its input.
func narrowUnary(op Unary) (in, out Places) {
	switch op.Fn {
	case Exp, Log, Threshold:
		return noPlaces, noPlaces
	case Power:
		if op.A != 1 {
			return noPlaces, noPlaces
		}
	}
	return allPlaces, allPlaces
}

// Multiplies reports whether an op is a sum of products: what runs faster on BF16
// factors, so that converting them is worth it.
func Multiplies(op Op) bool {
	switch op.(type) {
	case Conv, ConvGradData, ConvGradWeights, Gemm:
		return true
	}
	return false
}

// ToBF16 rounds to the nearest bfloat16, ties to even. A NaN stays one.
func ToBF16(f float32) uint16 {
	b := math.Float32bits(f)
	if f != f {
		return uint16(b>>16 | 0x40)
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// FromBF16 is the float32 of the same value.
func FromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
