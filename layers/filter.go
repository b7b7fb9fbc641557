package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Filter", Bottoms: atLeast(2), Tops: atLeast(1), Check: checkFilter, Lower: lowerFilter})
}

func checkFilter(l *spec.Layer) error {
	if n := len(l.GetBottom()) - 1; len(l.GetTop()) != n {
		return l.FieldErrorf("top", "Filter Layer makes one top for each bottom but the last, the selector: %d tops, want %d", len(l.GetTop()), n)
	}
	return nil
}

// lowerFilter emits the items of each bottom for which the last bottom, the
// selector (N, 1, …), is not 0. How many these are is known only once the selector
// is: the net says it when it lowers the layer (graph.Options.Selected); before
// the first run it is all, as in Caffe. None gives tops without items.
func lowerFilter(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	last := len(bottom) - 1
	selector, names := b.Shape(bottom[last]), l.GetBottom()
	if len(selector) == 0 || selector.Count() != selector[0] {
		b.Failf("Selector blob dimensions must be singletons (1), except the first: %s has shape %v", names[last], selector)
		return nil
	}
	for i, v := range bottom[:last] {
		if x := b.Shape(v); len(x) == 0 || x[0] != selector[0] {
			b.Failf("Each bottom should have the same 0th dimension as the selector blob: %s has shape %v, %s has %v", names[i], x, names[last], selector)
			return nil
		}
	}
	items := b.Select(bottom[last])
	tops := make([]graph.Value, last)
	for i, v := range bottom[:last] {
		tops[i] = b.Op(engine.Gather{}, v, items)
	}
	return tops
}
