package data

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func datumSeeds(t testing.TB) [][]byte {
	t.Helper()
	var seeds [][]byte
	for _, d := range []*caffepb.Datum{
		{},
		{Channels: proto.Int32(3), Height: proto.Int32(2), Width: proto.Int32(1), Data: []byte("abcdef"), Label: proto.Int32(-4), Encoded: proto.Bool(false)},
		{Data: []byte("\xff\xd8\xff"), Label: proto.Int32(1), Encoded: proto.Bool(true)},
		{Channels: proto.Int32(1), Height: proto.Int32(1), Width: proto.Int32(2), FloatData: []float32{1.5, -2}},
	} {
		b, err := proto.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, b)
	}
	// Packed floats, a field that is there twice, and one that Datum lacks.
	return append(seeds, []byte("\x32\x08\x00\x00\x80\x3f\x00\x00\x00\x40\x35\x00\x00\x40\x40"), []byte("\x08\x01\x08\x02"), []byte("\x7a\x01x\x08\x05"))
}

// FuzzDatum compares with protobuf's own parser.
func FuzzDatum(f *testing.F) {
	for _, b := range datumSeeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := Datum{FloatData: []float32{9, 9, 9}, Label: 7, Encoded: true}
		err := d.Parse(b)
		var want caffepb.Datum
		if wantErr := proto.Unmarshal(b, &want); (err == nil) != (wantErr == nil) {
			t.Fatalf("%x: got %v, protobuf says %v", b, err, wantErr)
		}
		if err != nil {
			return
		}
		d.check()
		if d.Channels != want.GetChannels() || d.Height != want.GetHeight() || d.Width != want.GetWidth() || d.Label != want.GetLabel() ||
			d.Encoded != want.GetEncoded() || !bytes.Equal(d.Data, want.GetData()) || !slices.EqualFunc(d.FloatData, want.GetFloatData(), sameBits) {
			t.Errorf("%x: got %+v, want %v", b, d, &want)
		}
	})
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

func TestDatumCheck(t *testing.T) {
	for _, c := range []struct {
		d  Datum
		ok bool
	}{
		{Datum{Channels: 3, Height: 2, Width: 1, Data: make([]byte, 6)}, true},
		{Datum{Channels: 3, Height: 2, Width: 1, FloatData: make([]float32, 6)}, true},
		{Datum{Channels: 3, Height: 2, Width: 1, Data: make([]byte, 5)}, false},
		{Datum{Channels: 3, Height: 2, Width: 1, Data: make([]byte, 7)}, false},
		{Datum{Channels: -3, Height: -2, Width: 1, Data: make([]byte, 6)}, false},
		{Datum{Data: make([]byte, 6)}, false},
		{Datum{Channels: math.MaxInt32, Height: math.MaxInt32, Width: math.MaxInt32, Data: make([]byte, 1)}, false},
		{Datum{Channels: 4, Height: 1 << 31 >> 1, Width: 1 << 31 >> 1, Data: nil}, false},
	} {
		if err := c.d.check(); (err == nil) != c.ok {
			t.Errorf("%d x %d x %d with %d bytes: %v", c.d.Channels, c.d.Height, c.d.Width, len(c.d.Data), err)
		}
	}
}
