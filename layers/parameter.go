package layers

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Parameter", Bottoms: exactly(0), Tops: exactly(1), Lower: lowerParameter})
}

// lowerParameter declares one blob of the given shape, which starts at zeros,
// learns, and is the top.
func lowerParameter(l *spec.Layer, b *graph.Builder, _ []graph.Value) []graph.Value {
	return []graph.Value{b.Param(shapeOf(l.GetParameterParam().GetShape()), nil)}
}
