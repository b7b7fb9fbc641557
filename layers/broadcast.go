package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

// axesShape is the shape of a learned blob that goes with numAxes axes of x from
// axis on: all of them for −1, a scalar for 0.
func axesShape(b *graph.Builder, x graph.Value, axis, numAxes int) engine.Shape {
	if numAxes == 0 {
		return engine.Shape{}
	}
	from, shape := b.Axis(x, axis), b.Shape(x)
	to := from + numAxes
	if numAxes == -1 {
		to = len(shape)
	}
	if to > len(shape) {
		b.Failf("the blob's shape extends past bottom[0]'s shape (%v) when applied starting with bottom[0] axis = %d: num_axes is %d", shape, from, numAxes)
		return nil
	}
	return shape[from:to].Clone()
}

// broadcast emits x·s or x + s, s having the shape of x's axes from axis on; a
// scalar goes with any axis.
func broadcast(b *graph.Builder, fn engine.BroadcastFn, x, s graph.Value, axis int) graph.Value {
	xs, ss := b.Shape(x), b.Shape(s)
	if len(ss) == 0 {
		return b.Op(engine.Broadcast{Fn: fn}, x, s)
	}
	from := b.Axis(x, axis)
	if from+len(ss) > len(xs) {
		b.Failf("the second operand's shape (%v) extends past bottom[0]'s shape (%v) when applied starting with bottom[0] axis = %d", ss, xs, from)
		return graph.None
	}
	for i, n := range ss {
		if xs[from+i] != n {
			b.Failf("dimension mismatch between bottom[0]->shape(%d) = %d and the second operand's shape(%d) = %d", from+i, xs[from+i], i, n)
			return graph.None
		}
	}
	return b.Op(engine.Broadcast{Fn: fn, Axis: from}, x, s)
}

// checkNumAxes checks num_axes of Scale and Bias.
func checkNumAxes(l *spec.Layer, field string, n int32) error {
	if n < -1 {
		return l.FieldErrorf(field, "num_axes must be non-negative, or -1 to extend to the end of bottom[0], not %d", n)
	}
	return nil
}
