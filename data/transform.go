package data

import (
	"errors"
	"fmt"

	"github.com/gocaffe/gocaffe/data/decode"
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// picture is a decoded record. Bytes are either planar (channel, row, column: a raw Datum) or interleaved (row, column, channel: a
// decoded image); floats are planar.
type picture struct {
	channels, height, width int
	bytes                   []byte
	floats                  []float32 // where bytes is nil
	interleaved             bool
	label                   int32
	mask                    []byte // a label for each pixel; nil: one for all
}

// dims are channels, height and width.
type dims [3]int

func (d dims) count() int     { return d[0] * d[1] * d[2] }
func (d dims) String() string { return fmt.Sprintf("%d x %d x %d", d[0], d[1], d[2]) }

// draws are the random numbers of one record, as drawn.
type draws struct{ mirror, top, left uint32 }

// transform is Caffe's transform_param.
type transform struct {
	crop          int    // crop_size
	cut           [2]int // height and width that are cut out; 0: no cut
	dense         bool   // DenseImageData: cuts at random in tests too, and after it has mirrored
	mirror, train bool
	scale         float32
	meanFile      string
	mean          []float32 // the mean image, planar, not cropped
	meanDims      dims
	values        []float32 // mean_value
}

func newTransform(p *caffepb.TransformationParameter, train bool, log Logger) (*transform, error) {
	t := &transform{crop: int(p.GetCropSize()), mirror: p.GetMirror(), train: train, scale: p.GetScale(), values: p.GetMeanValue()}
	t.cut = [2]int{t.crop, t.crop}
	if p.GetForceColor() && p.GetForceGray() {
		return nil, errors.New("cannot set both force_color and force_gray")
	}
	if p.MeanFile == nil {
		return t, nil
	}
	if len(t.values) > 0 {
		return nil, errors.New("Cannot specify mean_file and mean_value at the same time")
	}
	t.meanFile = p.GetMeanFile()
	log.Infof("data_transformer.cpp", 25, "Loading mean file from: %s", t.meanFile)
	return t, t.readMean()
}

func (t *transform) readMean() error {
	blob, err := proto.ReadBlob(t.meanFile)
	if err != nil {
		return fmt.Errorf("mean_file: %w", err)
	}
	shape, err := proto.BlobShape(blob)
	if err != nil {
		return fmt.Errorf("mean_file %s: %w", t.meanFile, err)
	}
	if len(shape) == 4 && shape[0] == 1 {
		shape = shape[1:]
	}
	if len(shape) != 3 {
		return fmt.Errorf("mean_file %s: its shape is %v, want 1 x channels x height x width", t.meanFile, shape)
	}
	if t.mean, err = proto.BlobData(blob); err != nil {
		return fmt.Errorf("mean_file %s: %w", t.meanFile, err)
	}
	t.meanDims = dims{int(shape[0]), int(shape[1]), int(shape[2])}
	return nil
}

// random says whether the transform draws at all: such layers have a random stream of their own.
func (t *transform) random() bool { return t.mirror || t.crops() }

// crops says whether crops are at random places.
func (t *transform) crops() bool { return (t.train || t.dense) && t.cut[0] > 0 }

// draw takes a record's numbers from the layer's stream, in Caffe's order. How many it takes does not depend on the record.
func (t *transform) draw(next func() uint32) (d draws) {
	if t.mirror {
		d.mirror = next()
	}
	if t.crops() {
		d.top = next()
		d.left = next()
	}
	return d
}

// drawsPerRecord is how many numbers draw takes.
func (t *transform) drawsPerRecord() int64 {
	n := int64(0)
	if t.mirror {
		n++
	}
	if t.crops() {
		n += 2
	}
	return n
}

// result is the size that a picture has after the transform, or why it cannot be transformed.
func (t *transform) result(p *picture) (dims, error) {
	in := dims{p.channels, p.height, p.width}
	if p.height < t.cut[0] || p.width < t.cut[1] {
		if t.dense {
			return dims{}, fmt.Errorf("crop_height %d or crop_width %d is larger than the image, which is %v (channels, height, width)", t.cut[0], t.cut[1], in)
		}
		return dims{}, fmt.Errorf("crop_size %d is larger than the image, which is %v (channels, height, width)", t.crop, in)
	}
	if t.mean != nil && in != t.meanDims {
		return dims{}, fmt.Errorf("mean_file %s is %v (channels, height, width), the image before it is cropped is %v: "+
			"compute the mean of this database", t.meanFile, t.meanDims, in)
	}
	if n := len(t.values); n > 1 && n != p.channels {
		return dims{}, fmt.Errorf("Specify either 1 mean_value or as many as channels: %d; there are %d", p.channels, n)
	}
	if t.cut[0] > 0 {
		return dims{p.channels, t.cut[0], t.cut[1]}, nil
	}
	return in, nil
}

// window is where out is cut out of the picture, and whether it is turned round.
func (t *transform) window(p *picture, out dims, d draws) (top, left int, reverse bool) {
	top, left, reverse = (p.height-out[1])/2, (p.width-out[2])/2, t.mirror && d.mirror%2 != 0
	if t.crops() {
		top, left = int(d.top%uint32(p.height-t.cut[0]+1)), int(d.left%uint32(p.width-t.cut[1]+1))
	}
	if t.dense && reverse {
		left = p.width - out[2] - left
	}
	return top, left, reverse
}

// labels writes the labels of the pixels that apply writes, as they are.
func (t *transform) labels(dst []float32, p *picture, out dims, d draws) {
	top, left, reverse := t.window(p, out, d)
	for y := range out[1] {
		row := dst[y*out[2]:][:out[2]]
		for x, v := range p.mask[(top+y)*p.width+left:][:out[2]] {
			row[x] = float32(v)
		}
		if reverse {
			flip(row)
		}
	}
}

// apply writes the transformed picture to dst, whose size is out = t.result(p).
func (t *transform) apply(dst []float32, p *picture, out dims, d draws) {
	top, left, reverse := t.window(p, out, d)
	plane := out[1] * out[2]
	for c := range out[0] {
		at := (c*p.height+top)*p.width + left // in a planar image, and in the mean image
		if p.bytes == nil {
			t.floats(dst[c*plane:][:plane], p, c, at, out, reverse)
			continue
		}
		place := decode.Placing{Rows: out[1], Columns: out[2], Step: 1, RowStep: p.width, Mean: t.meanOf(c), Scale: t.scale, Reverse: reverse}
		if t.mean != nil {
			place.Mean, place.MeanStep = t.mean[at:], p.width
		}
		from := at
		if p.interleaved {
			from, place.Step, place.RowStep = (top*p.width+left)*p.channels+c, p.channels, p.width*p.channels
		}
		decode.Place(dst[c*plane:][:plane], p.bytes[from:], place)
	}
}

// cutOut is apply for the device (engine.Pixels): it writes the bytes that apply would read, and where they were.
func (t *transform) cutOut(dst []byte, window []float32, p *picture, out dims, d draws) {
	top, left, reverse := t.window(p, out, d)
	window[engine.WindowTop], window[engine.WindowLeft] = float32(top), float32(left)
	window[engine.WindowMirrored], window[engine.WindowInterleaved] = 0, 0
	if reverse {
		window[engine.WindowMirrored] = 1
	}
	planes, pixel := out[0], 1
	if p.interleaved {
		window[engine.WindowInterleaved] = 1
		planes, pixel = 1, out[0]
	}
	for c := range planes {
		for y := range out[1] {
			n := copy(dst[:out[2]*pixel], p.bytes[((c*p.height+top+y)*p.width+left)*pixel:])
			dst = dst[n:]
		}
	}
}

// pixels is what the device must know to do what cutOut leaves undone.
func (t *transform) pixels(channels int) *engine.PixelFormat {
	p := &engine.PixelFormat{Op: engine.Pixels{Scale: t.scale}, MeanShape: engine.Shape{channels}}
	if t.mean != nil {
		p.Mean, p.MeanShape = t.mean, t.meanDims[:]
		return p
	}
	for c := range channels {
		p.Mean = append(p.Mean, t.meanOf(c)[0])
	}
	return p
}

// meanOf is the mean_value of channel c.
func (t *transform) meanOf(c int) []float32 {
	if len(t.values) == 0 {
		return []float32{0}
	}
	return t.values[min(c, len(t.values)-1):]
}

// floats converts channel c of a float Datum, whose first value is at at.
func (t *transform) floats(dst []float32, p *picture, c, at int, out dims, reverse bool) {
	for y := range out[1] {
		row := dst[y*out[2]:][:out[2]]
		t.floatRow(row, p.floats[at+y*p.width:][:out[2]], c, at+y*p.width)
		if reverse {
			flip(row)
		}
	}
}

func (t *transform) floatRow(dst, src []float32, c, mean int) {
	switch {
	case t.mean != nil:
		for i, m := range t.mean[mean:][:len(dst)] {
			dst[i] = (src[i] - m) * t.scale
		}
	case len(t.values) > 0:
		m := t.values[min(c, len(t.values)-1)]
		for i, v := range src {
			dst[i] = (v - m) * t.scale
		}
	default:
		for i, v := range src {
			dst[i] = v * t.scale
		}
	}
}

func flip(row []float32) {
	for i, j := 0, len(row)-1; i < j; i, j = i+1, j-1 {
		row[i], row[j] = row[j], row[i]
	}
}
