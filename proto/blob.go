package proto

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// BlobShape is the shape of a blob, from the legacy num, channels, height and width if any of them
// is set (as in Caffe), else from shape. A blob with neither is a scalar: an empty shape. A negative
// dimension and a count that does not fit an int64 are errors.
func BlobShape(b *caffepb.BlobProto) ([]int64, error) {
	dims := b.GetShape().GetDim()
	if b.Num != nil || b.Channels != nil || b.Height != nil || b.Width != nil {
		dims = []int64{int64(b.GetNum()), int64(b.GetChannels()), int64(b.GetHeight()), int64(b.GetWidth())}
	}
	if _, err := count(dims); err != nil {
		return nil, err
	}
	return append([]int64{}, dims...), nil
}

func count(dims []int64) (int64, error) {
	n := int64(1)
	for i, d := range dims {
		if d < 0 {
			return 0, fmt.Errorf("blob of shape %v: dimension %d is negative", dims, i)
		}
		if d > 0 && n > math.MaxInt64/d {
			return 0, fmt.Errorf("blob of shape %v: the number of values does not fit 64 bits", dims)
		}
		n *= d
	}
	return n, nil
}

// BlobData is the values of a blob as float32, from data, double_data or NVCaffe's raw_data. It
// shares memory with b where it can. A number of values that disagrees with the shape is an error.
func BlobData(b *caffepb.BlobProto) ([]float32, error) {
	return blobValues(b, "data", b.GetData(), b.GetDoubleData(), b.RawDataType, b.GetRawData())
}

// BlobDiff is the gradient of a blob, like BlobData; nil if the blob has none.
func BlobDiff(b *caffepb.BlobProto) ([]float32, error) {
	if len(b.GetDiff()) == 0 && len(b.GetDoubleDiff()) == 0 && len(b.GetRawDiff()) == 0 {
		return nil, nil
	}
	return blobValues(b, "diff", b.GetDiff(), b.GetDoubleDiff(), b.RawDiffType, b.GetRawDiff())
}

func blobValues(b *caffepb.BlobProto, what string, single []float32, double []float64, typ *caffepb.Type, raw []byte) ([]float32, error) {
	shape, err := BlobShape(b)
	if err != nil {
		return nil, err
	}
	values := single
	switch {
	case len(double) > 0:
		values = make([]float32, len(double))
		for i, v := range double {
			values[i] = float32(v)
		}
	case len(single) > 0 || len(raw) == 0:
	case typ == nil:
		return nil, fmt.Errorf("blob of shape %v: raw_%s_type is missing", shape, what)
	default:
		if values, err = rawValues(*typ, raw); err != nil {
			return nil, fmt.Errorf("blob of shape %v: raw_%s: %w", shape, what, err)
		}
	}
	if n, _ := count(shape); n != int64(len(values)) {
		return nil, fmt.Errorf("blob of shape %v: %s has %d values, the shape asks for %d", shape, what, len(values), n)
	}
	return values, nil
}

// rawValues decodes little-endian elements.
func rawValues(typ caffepb.Type, raw []byte) ([]float32, error) {
	var width int
	var value func([]byte) float32
	switch typ {
	case caffepb.Type_FLOAT:
		width, value = 4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
	case caffepb.Type_DOUBLE:
		width, value = 8, func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }
	case caffepb.Type_FLOAT16:
		width, value = 2, func(b []byte) float32 { return halfToFloat(binary.LittleEndian.Uint16(b)) }
	default:
		return nil, fmt.Errorf("values of type %v are not supported; FLOAT, DOUBLE and FLOAT16 are", typ)
	}
	if len(raw)%width != 0 {
		return nil, fmt.Errorf("%d bytes are not a multiple of %d", len(raw), width)
	}
	values := make([]float32, len(raw)/width)
	for i := range values {
		values[i] = value(raw[i*width:])
	}
	return values, nil
}

// halfToFloat widens an IEEE half.
func halfToFloat(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 0: // zero and subnormals: frac * 2^-24
		f := float32(frac) / (1 << 24)
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 255<<23 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// NewBlob is a blob with that shape and those values, which it shares. It panics if their numbers
// disagree, which is a mistake of the caller.
func NewBlob(shape []int, data []float32) *caffepb.BlobProto {
	dims := make([]int64, len(shape))
	for i, d := range shape {
		dims[i] = int64(d)
	}
	if n, err := count(dims); err != nil || n != int64(len(data)) {
		panic(fmt.Sprintf("proto: NewBlob: %d values for shape %v", len(data), shape))
	}
	return &caffepb.BlobProto{Shape: &caffepb.BlobShape{Dim: dims}, Data: data}
}
