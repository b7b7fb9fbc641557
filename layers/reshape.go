package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Reshape", Bottoms: exactly(1), Tops: exactly(1), NoInPlace: true, Check: checkReshape, Lower: lowerReshape})
}

func checkReshape(l *spec.Layer) error {
	inferred := 0
	for _, d := range l.GetReshapeParam().GetShape().GetDim() {
		switch {
		case d == -1:
			inferred++
		case d < -1:
			return l.FieldErrorf("reshape_param.shape", "dim %d: want a size, 0 to copy the bottom's, or -1 to infer it", d)
		}
	}
	if inferred > 1 {
		return l.FieldErrorf("reshape_param.shape", "new shape contains multiple -1 dims; at most a single (1) value of -1 may be specified")
	}
	if n := l.GetReshapeParam().GetNumAxes(); n < -1 {
		return l.FieldErrorf("reshape_param.num_axes", "num_axes must be >= 0, or -1 for all, not %d", n)
	}
	return nil
}

// lowerReshape emits the bottom with the num_axes axes from axis on (all for −1)
// replaced by shape: 0 copies the bottom's size at that place, −1 takes what is
// left. A negative axis counts from behind the last one: −1 inserts at the end.
func lowerReshape(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, x := l.GetReshapeParam(), b.Shape(bottom[0])
	from := int(p.GetAxis())
	if from < 0 {
		from += len(x) + 1
	}
	if from < 0 || from > len(x) {
		b.Failf("axis %d out of range for %d-D input blob (%v)", p.GetAxis(), len(x), x)
		return nil
	}
	to := from + int(p.GetNumAxes())
	if p.GetNumAxes() == -1 {
		to = len(x)
	}
	if to > len(x) {
		b.Failf("end_axis = axis + num_axes is out of range: %d of the %d axes of bottom %s (%v)", to, len(x), l.GetBottom()[0], x)
		return nil
	}
	y, infer := x[:from].Clone(), -1
	for i, d := range shapeOf(p.GetShape()) {
		switch {
		case d == 0 && from+i >= len(x):
			b.Failf("new shape contains a 0, but there was no corresponding bottom axis to copy: dim %d, bottom shape %v", i, x)
			return nil
		case d == 0:
			d = x[from+i]
		case d == -1:
			infer, d = len(y), 1
		}
		y = append(y, d)
	}
	y = append(y, x[to:]...)
	return []graph.Value{inferReshape(b, bottom[0], y, infer)}
}

// inferReshape emits v in the shape y, whose axis infer (if not negative) takes
// what is left.
func inferReshape(b *graph.Builder, v graph.Value, y engine.Shape, infer int) graph.Value {
	x := b.Shape(v)
	if known := y.Count(); infer >= 0 {
		if known == 0 || x.Count()%known != 0 {
			b.Failf("bottom count (%d) must be divisible by the product of the specified dimensions (%d)", x.Count(), known)
			return graph.None
		}
		y[infer] = x.Count() / known
	}
	if y.Count() != x.Count() {
		b.Failf("output count must match input count: %v has %d elements, %v has %d", y, y.Count(), x, x.Count())
		return graph.None
	}
	return b.Reshape(v, y...)
}
