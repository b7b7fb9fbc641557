package engine

import (
	"slices"
	"strconv"
	"strings"
)

// DType is the type of a tensor's elements.
type DType uint8

// The element types. None marks an output that nobody reads.
const (
	None DType = iota
	F32
	I32
	BF16
	U8 // pictures as they are stored: only Pixels reads them
)

// Size is the number of bytes of one element.
func (t DType) Size() int64 {
	switch t {
	case F32, I32:
		return 4
	case BF16:
		return 2
	case U8:
		return 1
	}
	return 0
}

func (t DType) String() string {
	return [...]string{"none", "f32", "i32", "bf16", "u8"}[t]
}

// Layout says how a tensor lies in memory. Plain is dense row-major; any other
// value is a token of the Device that issued it, opaque to everyone else. A
// token means the same blocking for every shape it is used with.
type Layout int32

// Plain is the dense row-major layout, Caffe's.
const Plain Layout = 0

// Shape lists a tensor's dimensions, outermost first. A scalar has none.
type Shape []int

// Count is the number of elements.
func (s Shape) Count() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// Clone is a copy that shares no memory with s.
func (s Shape) Clone() Shape { return slices.Clone(s) }

// Equal reports whether both have the same dimensions.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// String is the shape in Caffe's words: "64 3 28 28".
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = strconv.Itoa(d)
	}
	return strings.Join(parts, " ")
}

// Desc describes a tensor.
type Desc struct {
	DType  DType
	Shape  Shape
	Layout Layout
}

// Dense describes a dense row-major float32 tensor.
func Dense(shape ...int) Desc { return Desc{DType: F32, Shape: shape} }

// Bytes is the size of the tensor without padding. Layouter.Bytes knows the
// size in a device's own layout.
func (d Desc) Bytes() int64 { return int64(d.Shape.Count()) * d.DType.Size() }

// Equal reports whether type, shape and layout agree.
func (d Desc) Equal(e Desc) bool {
	return d.DType == e.DType && d.Layout == e.Layout && d.Shape.Equal(e.Shape)
}
