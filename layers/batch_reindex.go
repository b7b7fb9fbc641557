package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "BatchReindex", Bottoms: exactly(2), Tops: exactly(1), Lower: lowerBatchReindex})
}

// lowerBatchReindex emits item bottom[1][i] of bottom[0] as item i of the top,
// which has as many items as bottom[1]. An index that is no item fails the run.
func lowerBatchReindex(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	if index := b.Shape(bottom[1]); len(index) != 1 {
		b.Failf("the indices must have one axis: bottom %s has shape %v", l.GetBottom()[1], index)
		return nil
	}
	return []graph.Value{b.Op(engine.Gather{}, bottom...)}
}
