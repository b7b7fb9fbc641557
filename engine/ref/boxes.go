package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

// box is xmin, ymin, xmax, ymax. The arithmetic is SSD's in float32: which box a
// threshold keeps hangs on it.
type box [4]float32

func (b box) area() float32 {
	if b[2] < b[0] || b[3] < b[1] {
		return 0
	}
	return (b[2] - b[0]) * (b[3] - b[1])
}

// overlap is the intersection over union of two boxes.
func (b box) overlap(c box) float32 {
	if c[0] > b[2] || c[2] < b[0] || c[1] > b[3] || c[3] < b[1] {
		return 0
	}
	w, h := min(b[2], c[2])-max(b[0], c[0]), min(b[3], c[3])-max(b[1], c[1])
	if !(w > 0 && h > 0) {
		return 0
	}
	both := w * h
	return both / (b.area() + c.area() - both)
}

// crosses reports whether the box leaves the image.
func (b box) crosses() bool {
	for _, v := range b {
		if v < 0 || v > 1 {
			return true
		}
	}
	return false
}

// boxAt is box i of a list of corners.
func boxAt(list []float32, i int) box { return box(list[4*i:][:4]) }

// prior is a default box with its variances.
type prior struct {
	box
	variance [4]float32
}

// priorsOf splits a PriorBox's output.
func priorsOf(list []float32) []prior {
	half := len(list) / 2
	out := make([]prior, half/4)
	for i := range out {
		out[i] = prior{boxAt(list, i), boxAt(list[half:], i)}
	}
	return out
}

// decode turns a prediction into a box; with plain the variances are in it.
func (p prior) decode(code engine.BoxCode, plain bool, d box) box {
	if !plain {
		for i := range d {
			d[i] *= p.variance[i]
		}
	}
	w, h := p.box[2]-p.box[0], p.box[3]-p.box[1]
	switch code {
	case engine.CornerCode:
		return box{p.box[0] + d[0], p.box[1] + d[1], p.box[2] + d[2], p.box[3] + d[3]}
	case engine.CornerSizeCode:
		return box{p.box[0] + d[0]*w, p.box[1] + d[1]*h, p.box[2] + d[2]*w, p.box[3] + d[3]*h}
	}
	cx, cy := d[0]*w+(p.box[0]+p.box[2])/2, d[1]*h+(p.box[1]+p.box[3])/2
	bw, bh := float32(math.Exp(float64(d[2])))*w, float32(math.Exp(float64(d[3])))*h
	return box{cx - bw/2, cy - bh/2, cx + bw/2, cy + bh/2}
}

// encode is what decode turns into b; with plain the variances are not in it.
func (p prior) encode(code engine.BoxCode, plain bool, b box) box {
	w, h := p.box[2]-p.box[0], p.box[3]-p.box[1]
	var d box
	switch code {
	case engine.CornerCode:
		d = box{b[0] - p.box[0], b[1] - p.box[1], b[2] - p.box[2], b[3] - p.box[3]}
	case engine.CornerSizeCode:
		d = box{(b[0] - p.box[0]) / w, (b[1] - p.box[1]) / h, (b[2] - p.box[2]) / w, (b[3] - p.box[3]) / h}
	default:
		cx, cy := (b[0]+b[2])/2-(p.box[0]+p.box[2])/2, (b[1]+b[3])/2-(p.box[1]+p.box[3])/2
		lw, lh := math.Log(float64((b[2]-b[0])/w)), math.Log(float64((b[3]-b[1])/h))
		d = box{cx / w, cy / h, float32(lw), float32(lh)}
	}
	if !plain {
		for i := range d {
			d[i] /= p.variance[i]
		}
	}
	return d
}
