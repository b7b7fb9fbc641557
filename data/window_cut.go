package data

import (
	"fmt"
	"math"

	"github.com/gocaffe/gocaffe/data/decode"
)

// cut is a window of one record.
type cut struct {
	window
	mirror bool
}

// windowing says how windows become pictures of crop x crop.
type windowing struct {
	crop, pad int
	square    bool
	scale     float32
	mean      *transform // its mean image, or mean values
}

// openWindow decodes the record's image, and cuts the window out of it.
func (w *worker) openWindow(rec *Record) error {
	if err := w.readFile(rec.File); err != nil {
		return fmt.Errorf("Could not open or find file %s: %w", rec.File, err)
	}
	img, err := w.decoder.Decode(w.file, w.mode)
	if err != nil {
		return fmt.Errorf("Could not open or find file %s: %w", rec.File, err)
	}
	c := rec.cut
	x, y := w.windows.place(c, img.Width, img.Height)
	if !x.inside(img.Width) || !y.inside(img.Height) {
		return fmt.Errorf("window %d %d %d %d (x1, y1, x2, y2) lies outside of %s, which is %d x %d", c.x1, c.y1, c.x2, c.y2, rec.File, img.Width, img.Height)
	}
	part := w.decoder.Resize(w.cutOut(img, x, y), x.warped, y.warped)
	n := w.windows.crop
	if w.floats == nil {
		w.floats = make([]float32, 3*n*n)
	}
	clear(w.floats)
	w.windows.write(w.floats, part, x.before, y.before, c.mirror)
	w.pic = picture{channels: 3, height: n, width: n, floats: w.floats, label: rec.Label}
	return nil
}

// cutOut copies a part of an image.
func (w *worker) cutOut(img *decode.Image, x, y span) *decode.Image {
	width, height := x.hi-x.lo+1, y.hi-y.lo+1
	pix := w.part.Pix[:0]
	for row := y.lo; row <= y.hi; row++ {
		pix = append(pix, img.Pix[(row*img.Width+x.lo)*3:][:width*3]...)
	}
	w.part = decode.Image{Width: width, Height: height, Channels: 3, Pix: pix}
	return &w.part
}

// span is a window along one axis.
type span struct {
	lo, hi        int // the part inside of the image
	warped        int // to how many pixels it is warped
	before, after int // pixels of the picture around it, which are 0
}

// inside says whether the part is in an image of this size, and something is left of it.
func (s span) inside(size int) bool { return s.lo >= 0 && s.lo <= s.hi && s.hi < size && s.warped > 0 }

// place is where a window lies, rounded as Caffe does it. With context or square it is the region around the window that warps to the
// whole picture, and of that the part inside of the image.
func (w *windowing) place(c *cut, width, height int) (x, y span) {
	if w.pad == 0 && !w.square {
		return span{lo: int(c.x1), hi: int(c.x2), warped: w.crop}, span{lo: int(c.y1), hi: int(c.y2), warped: w.crop}
	}
	factor := float32(w.crop) / float32(w.crop-2*w.pad)
	halfX, halfY := float32(c.x2-c.x1+1)/2, float32(c.y2-c.y1+1)/2
	centreX, centreY := float32(c.x1)+halfX, float32(c.y1)+halfY
	if w.square {
		halfX = max(halfX, halfY)
		halfY = halfX
	}
	x = w.clip(centreX, float32(halfX*factor), width)
	y = w.clip(centreY, float32(halfY*factor), height)
	if c.mirror {
		x.before = x.after // the padding is mirrored too
	}
	x.warped, y.warped = min(x.warped, w.crop-x.before), min(y.warped, w.crop-y.before)
	return x, y
}

// clip is the part inside of an image of the region half to each side of centre.
func (w *windowing) clip(centre, half float32, size int) span {
	s := span{lo: round(centre - half), hi: round(centre + half)}
	scale := float32(w.crop) / float32(s.hi-s.lo+1)
	before, after := max(0, -s.lo), max(0, s.hi-size+1)
	s.lo, s.hi = s.lo+before, s.hi-after
	s.warped = round(float32(s.hi-s.lo+1) * scale)
	s.before, s.after = round(float32(before)*scale), round(float32(after)*scale)
	return s
}

// round rounds halves away from 0.
func round(f float32) int { return int(math.Round(float64(f))) }

// write puts a warped window at its place in the picture dst: (pixel − mean)·scale, the mean being that of the place in the picture.
func (w *windowing) write(dst []float32, part *decode.Image, left, top int, mirror bool) {
	t, n := w.mean, w.crop
	offset := (t.meanDims[2] - n) / 2
	for y := range part.Height {
		row := part.Pix[y*part.Width*3:][:part.Width*3]
		for x := range part.Width {
			from := x
			if mirror {
				from = part.Width - 1 - x
			}
			for c := range 3 {
				v := float32(row[from*3+c])
				switch {
				case t.mean != nil:
					v -= t.mean[(c*t.meanDims[1]+y+offset+top)*t.meanDims[2]+x+offset+left]
				case len(t.values) > 0:
					v -= t.values[min(c, len(t.values)-1)]
				}
				dst[(c*n+y+top)*n+x+left] = v * w.scale
			}
		}
	}
}
