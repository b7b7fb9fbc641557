package layers

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Flatten", Bottoms: exactly(1), Tops: exactly(1), NoInPlace: true, Lower: lowerFlatten})
}

// lowerFlatten emits the bottom with the axes from axis to end_axis made one.
func lowerFlatten(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, x := l.GetFlattenParam(), bottom[0]
	from, to := b.Axis(x, int(p.GetAxis())), b.Axis(x, int(p.GetEndAxis()))
	if b.Err() != nil {
		return nil
	}
	if to < from {
		b.Failf("end_axis %d comes before axis %d of bottom %s (%v)", to, from, l.GetBottom()[0], b.Shape(x))
		return nil
	}
	shape := b.Shape(x)
	flat := append(shape[:from].Clone(), shape[from:to+1].Count())
	return []graph.Value{b.Reshape(x, append(flat, shape[to+1:]...)...)}
}
