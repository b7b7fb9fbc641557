package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Slice", Bottoms: exactly(1), Tops: atLeast(1), Check: checkSlice, Lower: lowerSlice})
}

func checkSlice(l *spec.Layer) error {
	p := l.GetSliceParam()
	if p != nil && p.Axis != nil && p.SliceDim != nil {
		return l.FieldErrorf("slice_param.slice_dim", "Either axis or slice_dim should be specified; not both.")
	}
	points := p.GetSlicePoint()
	if n := len(points); n != 0 && n != len(l.GetTop())-1 {
		return l.FieldErrorf("slice_param.slice_point", "%d slice_point for %d tops: want one fewer than tops, or none", n, len(l.GetTop()))
	}
	prev := uint32(0)
	for _, at := range points {
		if at <= prev {
			return l.FieldErrorf("slice_param.slice_point", "slice_point must increase from above 0: %d after %d", at, prev)
		}
		prev = at
	}
	return nil
}

// lowerSlice emits the parts of the bottom along an axis: cut at the slice
// points, or equal.
func lowerSlice(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, n := l.GetSliceParam(), len(l.GetTop())
	axis := int(p.GetAxis())
	if p != nil && p.SliceDim != nil {
		axis = int(p.GetSliceDim())
	}
	axis = b.Axis(bottom[0], axis)
	if b.Err() != nil {
		return nil
	}
	size := b.Shape(bottom[0])[axis]
	points := p.GetSlicePoint()
	switch {
	case len(points) == 0 && size%n != 0:
		b.Failf("Number of top blobs (%d) should evenly divide input slice axis (%d)", n, size)
		return nil
	case len(points) > 0 && int(points[n-2]) >= size:
		b.Failf("slice_point %d lies outside slice axis %d of size %d, bottom[0] shape: %v", points[n-2], axis, size, b.Shape(bottom[0]))
		return nil
	}
	if n == 1 {
		return bottom
	}
	sizes, prev := make([]int, n), 0
	for i := range sizes {
		sizes[i] = size / n
		if i < len(points) {
			sizes[i], prev = int(points[i])-prev, int(points[i])
		} else if len(points) > 0 {
			sizes[i] = size - prev
		}
	}
	return b.Ops(engine.Slice{Axis: axis, Sizes: engine.IntsOf(sizes...)}, bottom[0])
}
