package layers

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Split", Bottoms: exactly(1), Tops: atLeast(1), NoInPlace: true, Lower: lowerSplit})
}

// lowerSplit gives each top the bottom's tensor and a gradient of its own; the
// bottom's gradient is their sum.
func lowerSplit(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	tops := make([]graph.Value, len(l.GetTop()))
	for i := range tops {
		tops[i] = b.Alias(bottom[0])
	}
	return tops
}
