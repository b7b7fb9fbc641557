package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Datum is Caffe's record: raw bytes or floats in the order channels, rows, columns (channels B, G, R), or an encoded image.
type Datum struct {
	Channels, Height, Width int32
	Data                    []byte // refers to the parsed message
	Label                   int32
	FloatData               []float32
	Encoded                 bool
}

// The field numbers of caffe.Datum.
const (
	datumChannels = iota + 1
	datumHeight
	datumWidth
	datumData
	datumLabel
	datumFloatData
	datumEncoded
)

var errDatum = errors.New("not a Datum: corrupt, or another kind of record")

// Parse reads a serialized Datum. It is the same as protobuf's Unmarshal into caffepb.Datum, but Data refers to b and FloatData reuses
// memory, so that reading records allocates nothing. Fields that Caffe's Datum lacks are ignored.
func (d *Datum) Parse(b []byte) error {
	*d = Datum{FloatData: d.FloatData[:0]}
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 || number > protowire.MaxValidNumber {
			return errDatum
		}
		b = b[n:]
		switch {
		case kind == protowire.VarintType:
			v, k := protowire.ConsumeVarint(b)
			if k < 0 {
				return errDatum
			}
			d.setInt(int(number), v)
			n = k
		case kind == protowire.BytesType:
			v, k := protowire.ConsumeBytes(b)
			if k < 0 || number == datumFloatData && len(v)%4 != 0 {
				return errDatum
			}
			d.setBytes(int(number), v)
			n = k
		case kind == protowire.Fixed32Type && number == datumFloatData:
			v, k := protowire.ConsumeFixed32(b)
			if k < 0 {
				return errDatum
			}
			d.FloatData = append(d.FloatData, math.Float32frombits(v))
			n = k
		default:
			if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
				return errDatum
			}
		}
		b = b[n:]
	}
	return nil
}

func (d *Datum) setInt(number int, v uint64) {
	switch number {
	case datumChannels:
		d.Channels = int32(v)
	case datumHeight:
		d.Height = int32(v)
	case datumWidth:
		d.Width = int32(v)
	case datumLabel:
		d.Label = int32(v)
	case datumEncoded:
		d.Encoded = v != 0
	}
}

func (d *Datum) setBytes(number int, v []byte) {
	switch number {
	case datumData:
		d.Data = v
	case datumFloatData:
		for ; len(v) > 0; v = v[4:] {
			d.FloatData = append(d.FloatData, math.Float32frombits(binary.LittleEndian.Uint32(v)))
		}
	}
}

// check says what is wrong with a Datum that is not encoded.
func (d *Datum) check() error {
	c, h, w := int64(d.Channels), int64(d.Height), int64(d.Width)
	if c <= 0 || h <= 0 || w <= 0 {
		return fmt.Errorf("Datum of %d x %d x %d (channels, height, width) has no pixels", c, h, w)
	}
	have := int64(len(d.Data))
	if have == 0 {
		have = int64(len(d.FloatData))
	}
	if plane := h * w; plane > have || have/plane < c || c*plane != have {
		return fmt.Errorf("Incorrect data field size %d: the Datum is %d x %d x %d (channels, height, width)", have, c, h, w)
	}
	return nil
}
