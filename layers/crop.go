package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Crop", Bottoms: exactly(2), Tops: exactly(1), Lower: lowerCrop})
}

// lowerCrop emits the part of bottom[0] that has bottom[1]'s sizes in the axes
// from axis on, and begins at offset there: one for all of these axes, one for
// each, or 0. bottom[1] gives its shape alone and gets no gradient.
func lowerCrop(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, x, like := l.GetCropParam(), b.Shape(bottom[0]), b.Shape(bottom[1])
	axis := b.Axis(bottom[0], int(p.GetAxis()))
	offsets := p.GetOffset()
	switch {
	case b.Err() != nil:
		return nil
	case len(offsets) > 1 && axis+len(offsets) != len(x):
		b.Failf("number of offset values specified must be equal to the number of dimensions following axis: %d offsets for the %d axes from axis %d of shape %v",
			len(offsets), len(x)-axis, axis, x)
		return nil
	case len(like) < len(x):
		b.Failf("bottom %s has shape %v: want %d axes, as bottom %s has", l.GetBottom()[1], like, len(x), l.GetBottom()[0])
		return nil
	}
	y := bottom[0]
	for i := axis; i < len(x); i++ {
		from := 0
		switch len(offsets) {
		case 0:
		case 1:
			from = int(offsets[0])
		default:
			from = int(offsets[i-axis])
		}
		if x[i]-from < like[i] {
			b.Failf("the crop for dimension %d is out-of-bounds with size %d and offset %d: bottom %s has shape %v", i, like[i], from, l.GetBottom()[0], x)
			return nil
		}
		y = part(b, y, i, from, like[i])
	}
	return []graph.Value{y}
}

// part emits n entries of an axis of v, the first of which is from.
func part(b *graph.Builder, v graph.Value, axis, from, n int) graph.Value {
	size := b.Shape(v)[axis]
	if n == size {
		return v
	}
	parts := b.Ops(engine.Slice{Axis: axis, Sizes: engine.IntsOf(from, n, size-from-n)}, v)
	if parts == nil {
		return graph.None
	}
	return parts[1]
}
