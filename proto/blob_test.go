package proto

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func shaped(dims ...int64) *caffepb.BlobProto {
	return &caffepb.BlobProto{Shape: &caffepb.BlobShape{Dim: dims}}
}

func TestBlobShape(t *testing.T) {
	legacy := shaped(9)
	legacy.Num, legacy.Channels, legacy.Height, legacy.Width = proto.Int32(1), proto.Int32(3), proto.Int32(2), proto.Int32(5)
	tests := []struct {
		name string
		blob *caffepb.BlobProto
		want []int64
		err  string
	}{
		{"shape", shaped(2, 3), []int64{2, 3}, ""},
		{"legacy before shape", legacy, []int64{1, 3, 2, 5}, ""},
		{"legacy in part", &caffepb.BlobProto{Num: proto.Int32(2)}, []int64{2, 0, 0, 0}, ""},
		{"scalar", &caffepb.BlobProto{}, []int64{}, ""},
		{"negative", shaped(2, -3), nil, "blob of shape [2 -3]: dimension 1 is negative"},
		{"overflow", shaped(1<<32, 1<<31), nil, "blob of shape [4294967296 2147483648]: the number of values does not fit 64 bits"},
		{"overflow times zero", shaped(0, 1<<62, 1<<62), []int64{0, 1 << 62, 1 << 62}, ""},
	}
	for _, tt := range tests {
		got, err := BlobShape(tt.blob)
		if !slices.Equal(got, tt.want) || (tt.err == "") != (err == nil) || err != nil && err.Error() != tt.err {
			t.Errorf("%s: %v, %v; want %v, %q", tt.name, got, err, tt.want, tt.err)
		}
	}
}

func TestBlobData(t *testing.T) {
	want := []float32{1, -2.5, 0.000030517578}
	raw := func(typ caffepb.Type, bytes []byte) *caffepb.BlobProto {
		b := shaped(3)
		b.RawDataType, b.RawData = typ.Enum(), bytes
		return b
	}
	var singles, doubles []byte
	double := shaped(3)
	for _, v := range want {
		singles = binary.LittleEndian.AppendUint32(singles, math.Float32bits(v))
		doubles = binary.LittleEndian.AppendUint64(doubles, math.Float64bits(float64(v)))
		double.DoubleData = append(double.DoubleData, float64(v))
	}
	// NVCaffe reads raw bytes only where there are no plain values.
	both := raw(caffepb.Type_FLOAT, []byte{1})
	both.Data = want
	untyped := raw(caffepb.Type_FLOAT, singles)
	untyped.RawDataType = nil
	halves := []byte{0x00, 0x3c, 0x00, 0xc1, 0x00, 0x02}
	for name, b := range map[string]*caffepb.BlobProto{
		"data":         NewBlob([]int{3}, want),
		"double_data":  double,
		"data and raw": both,
		"raw float":    raw(caffepb.Type_FLOAT, singles),
		"raw double":   raw(caffepb.Type_DOUBLE, doubles),
		"raw half":     raw(caffepb.Type_FLOAT16, halves),
	} {
		if got, err := BlobData(b); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
	for want, b := range map[string]*caffepb.BlobProto{
		"blob of shape [2 2]: data has 0 values, the shape asks for 4":                                     shaped(2, 2),
		"blob of shape [3]: raw_data: 11 bytes are not a multiple of 4":                                    raw(caffepb.Type_FLOAT, singles[:11]),
		"blob of shape [3]: raw_data: values of type INT are not supported; FLOAT, DOUBLE and FLOAT16 are": raw(caffepb.Type_INT, singles),
		"blob of shape [3]: data has 2 values, the shape asks for 3":                                       raw(caffepb.Type_FLOAT, singles[:8]),
		"blob of shape [3]: raw_data_type is missing":                                                      untyped,
		"blob of shape [-1]: dimension 0 is negative":                                                      shaped(-1),
	} {
		if _, err := BlobData(b); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestBlobDiff(t *testing.T) {
	b := NewBlob([]int{2}, []float32{1, 2})
	if diff, err := BlobDiff(b); diff != nil || err != nil {
		t.Errorf("no diff: %v, %v", diff, err)
	}
	b.DoubleDiff = []float64{3, 4}
	if diff, err := BlobDiff(b); err != nil || !slices.Equal(diff, []float32{3, 4}) {
		t.Errorf("double_diff: %v, %v", diff, err)
	}
	b.DoubleDiff, b.Diff = nil, []float32{5}
	if _, err := BlobDiff(b); err == nil || !strings.Contains(err.Error(), "diff has 1 values") {
		t.Errorf("short diff: %v", err)
	}
}

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float32{
		0: 0, 1: 5.9604645e-8, 0x03ff: 0.000060975552, 0x0400: 0.000061035156, 0x3555: 0.33325195, 0x7bff: 65504,
		0x7c00: float32(math.Inf(1)), 0xfc00: float32(math.Inf(-1)), 0xc000: -2,
	} {
		if got := halfToFloat(bits); got != want {
			t.Errorf("%#04x is %v, want %v", bits, got, want)
		}
	}
	if got := halfToFloat(0x7e01); got == got {
		t.Errorf("0x7e01 is %v, want NaN", got)
	}
	if got := halfToFloat(0x8000); math.Float32bits(got) != 1<<31 {
		t.Errorf("0x8000 is %v, want minus zero", got)
	}
}
