//go:build cgo && linux

package cuda

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/gocaffe/gocaffe/engine"
)

// The forms of a kernel, by the element type of the activations.
const (
	formF32  = "_f32"
	formBF16 = "_bf16"
)

// formOf is the form for an element type; "" where there is none.
func formOf(t engine.DType) string {
	switch t {
	case engine.F32, engine.I32:
		return formF32
	case engine.BF16:
		return formBF16
	}
	return ""
}

// alike gives the form for activations of one type and layout; unread ones do not
// count.
func alike(op engine.Op, tensors ...engine.Desc) (string, error) {
	var first *engine.Desc
	for i, t := range tensors {
		if t.DType == engine.None {
			continue
		}
		if first == nil {
			first = &tensors[i]
		}
		if t.DType != first.DType || t.Layout != first.Layout {
			return "", unsupported(op, "tensors of several types or layouts")
		}
	}
	if first == nil {
		return "", unsupported(op, "nobody reads it")
	}
	return formOf(first.DType), nil
}

// plain requires float32 (or int32) tensors in the plain layout.
func plain(op engine.Op, tensors ...engine.Desc) error {
	for _, t := range tensors {
		if t.Layout != engine.Plain {
			return unsupported(op, "a tensor in a layout of the device's own")
		}
		if t.DType == engine.BF16 {
			return unsupported(op, "a bfloat16 tensor")
		}
	}
	return nil
}

// axes is a tensor seen as outer × mid × inner in memory.
type axes struct{ outer, mid, inner int }

func (z axes) count() int { return z.outer * z.mid * z.inner }

// viewOf sees n axes of a tensor, from axis on, as the middle one. In the layout
// with the channels innermost those are the channels,
// the items, or none.
func viewOf(op engine.Op, t engine.Desc, axis, n int) (axes, error) {
	z := axes{t.Shape[:axis].Count(), t.Shape[axis : axis+n].Count(), t.Shape[axis+n:].Count()}
	switch {
	case t.Layout == engine.Plain:
		return z, nil
	case t.Layout != nhwc:
		return z, unsupported(op, "a layout that it does not know")
	case axis == 0 && n == 1:
		return z, nil
	case axis == 1 && n == 1:
		return axes{z.outer * z.inner, z.mid, 1}, nil
	case n == 0:
		return axes{1, 1, t.Shape.Count()}, nil
	}
	return z, unsupported(op, fmt.Sprintf("axis %d of a tensor whose channels are innermost", axis))
}

// div divides numbers below 2^31 by d with a product and a shift (Granlund and
// Montgomery 1994); kernels have it as Div.
type div struct{ D, Mul, Shift uint32 }

func divOf(d int) div {
	shift := bits.Len32(uint32(d - 1)) // 2^shift ≥ d
	mul := ((uint64(1)<<shift-uint64(d))<<32)/uint64(d) + 1
	return div{uint32(d), uint32(mul), uint32(shift)}
}

// row is a softmax's view of a tensor; kernels have it as Axes.
type row struct {
	Rows, Along uint32
	Inner       div
}

func rowOf(z axes) row {
	return row{uint32(z.outer * z.inner), uint32(z.mid), divOf(z.inner)}
}

// flag is 1 where the condition holds, as kernels take it.
func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// maxElements is how many elements a tensor may have: kernels count in 32 bits.
const maxElements = math.MaxInt32
