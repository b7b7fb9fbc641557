package decode

import "math"

// resizer holds the tables and row buffers of one resize after the other.
type resizer struct {
	x, y []tap
	rows [2][]int32
	out  Image
}

// tap is where one output pixel reads along an axis: from index at and at+1 (clamped), weighed in 1/2048.
type tap struct {
	at     int
	w0, w1 int32
}

// coefBits is the precision of cv::resize's fixed-point weights.
const coefBits = 11

// Resize scales src to width by height as cv::resize does by default (bilinear, in fixed point), bit for bit. The result stays valid until
// the next call; it is src itself where nothing is to be done.
func (d *Decoder) Resize(src *Image, width, height int) *Image {
	if src.Width == width && src.Height == height {
		return src
	}
	r := &d.resize
	r.out.reset(width, height, src.Channels)
	// Halving both sides, OpenCV averages 2 x 2 pixels, which rounds differently.
	if src.Width == 2*width && src.Height == 2*height {
		halve(&r.out, src)
		return &r.out
	}
	r.x = horizontalTaps(r.x[:0], src.Width, width)
	r.y = verticalTaps(r.y[:0], src.Height, height)
	r.interpolate(src)
	return &r.out
}

// ResizeNearest scales src to width by height as cv::resize does with INTER_NEAREST: each pixel is one of src's, as label images need it.
// The result stays valid until the next resize; it is src itself where nothing is to be done.
func (d *Decoder) ResizeNearest(src *Image, width, height int) *Image {
	if src.Width == width && src.Height == height {
		return src
	}
	out := &d.resize.out
	out.reset(width, height, src.Channels)
	from := func(i, size, n int) int {
		step := 1 / (float64(n) / float64(size)) // as OpenCV rounds it
		return min(int(math.Floor(float64(i)*step)), size-1)
	}
	n := src.Channels
	for y := range height {
		row := src.Pix[from(y, src.Height, height)*src.Width*n:]
		for x := range width {
			copy(out.Pix[(y*width+x)*n:][:n], row[from(x, src.Width, width)*n:])
		}
	}
	return out
}

func halve(dst, src *Image) {
	n, stride := src.Channels, src.Width*src.Channels
	for y := range dst.Height {
		top, bottom := src.Pix[2*y*stride:][:stride], src.Pix[(2*y+1)*stride:][:stride]
		out := dst.Pix[y*dst.Width*n:][:dst.Width*n]
		for x := range dst.Width {
			for c := range n {
				i := 2*x*n + c
				out[x*n+c] = byte((int(top[i]) + int(top[i+n]) + int(bottom[i]) + int(bottom[i+n]) + 2) >> 2)
			}
		}
	}
}

// position is where the centre of output pixel i of n lies among size input pixels: the pixel before it and the distance from that
// one's centre.
func position(i, size, n int) (at int, frac float32) {
	scale := 1 / (float64(n) / float64(size))
	f := float32((float64(i)+0.5)*scale - 0.5)
	at = int(math.Floor(float64(f)))
	return at, f - float32(at)
}

// horizontalTaps clamp the weights at the borders.
func horizontalTaps(taps []tap, size, n int) []tap {
	for i := range n {
		at, frac := position(i, size, n)
		if at < 0 {
			at, frac = 0, 0
		}
		if at >= size-1 {
			at, frac = size-1, 0
		}
		taps = append(taps, tap{at, weight(1 - frac), weight(frac)})
	}
	return taps
}

// verticalTaps keep their weights at the borders, where both rows are the same one: it is the sum of two roundings.
func verticalTaps(taps []tap, size, n int) []tap {
	for i := range n {
		at, frac := position(i, size, n)
		taps = append(taps, tap{at, weight(1 - frac), weight(frac)})
	}
	return taps
}

func weight(f float32) int32 { return int32(math.RoundToEven(float64(f * (1 << coefBits)))) }

// interpolate goes row by row and keeps the two last input rows, stretched, because neighbouring output rows share them.
func (r *resizer) interpolate(src *Image) {
	n := r.out.Width * r.out.Channels
	for i := range r.rows {
		if cap(r.rows[i]) < n {
			r.rows[i] = make([]int32, n)
		}
		r.rows[i] = r.rows[i][:n]
	}
	held := [2]int{-1, -1}
	for y, t := range r.y {
		y0, y1 := clamp(t.at, src.Height), clamp(t.at+1, src.Height)
		if held[1] == y0 || held[0] == y1 {
			r.rows[0], r.rows[1] = r.rows[1], r.rows[0]
			held[0], held[1] = held[1], held[0]
		}
		if held[0] != y0 {
			r.stretch(r.rows[0], src, y0)
			held[0] = y0
		}
		if held[1] != y1 {
			r.stretch(r.rows[1], src, y1)
			held[1] = y1
		}
		blend(r.out.Pix[y*n:][:n], r.rows[0], r.rows[1], t.w0, t.w1)
	}
}

func clamp(i, n int) int { return min(max(i, 0), n-1) }

// stretch resizes row y of src.
func (r *resizer) stretch(out []int32, src *Image, y int) {
	stride := src.Width * src.Channels
	stretch(out, src.Pix[y*stride:][:stride], r.x, src.Width, src.Channels)
}
