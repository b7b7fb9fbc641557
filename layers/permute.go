package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Permute", From: "SSD", Bottoms: exactly(1), Tops: exactly(1), NoInPlace: true, Check: checkPermute, Lower: lowerPermute})
}

// checkPermute checks that no axis is named twice.
func checkPermute(l *spec.Layer) error {
	seen := map[uint32]bool{}
	for _, axis := range l.GetPermuteParam().GetOrder() {
		if seen[axis] {
			return l.FieldErrorf("permute_param.order", "there are duplicate orders: axis %d", axis)
		}
		seen[axis] = true
	}
	return nil
}

// lowerPermute emits the bottom with its axes in another order: axis i of the
// top is the bottom's axis order[i]. Axes that order does not name follow in
// their own order (SSD).
func lowerPermute(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	rank := len(b.Shape(bottom[0]))
	seen := make([]bool, rank)
	var order []int
	for _, axis := range l.GetPermuteParam().GetOrder() {
		if int(axis) >= rank {
			b.Fail(l.FieldErrorf("permute_param.order", "order should be less than the input dimension: axis %d of shape %v", axis, b.Shape(bottom[0])))
			return nil
		}
		order, seen[axis] = append(order, int(axis)), true
	}
	for axis := range rank {
		if !seen[axis] {
			order = append(order, axis)
		}
	}
	return []graph.Value{permute(b, bottom[0], order...)}
}

// permute emits x with its axes in the given order; x itself if nothing moves.
func permute(b *graph.Builder, x graph.Value, order ...int) graph.Value {
	for i, axis := range order {
		if i != axis {
			return b.Op(engine.Permute{Order: engine.IntsOf(order...)}, x)
		}
	}
	return x
}
