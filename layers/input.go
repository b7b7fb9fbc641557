package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "Input", Bottoms: exactly(0), Tops: atLeast(1), Check: checkInput, Lower: lowerInput})
}

func checkInput(l *spec.Layer) error {
	if n := len(l.GetInputParam().GetShape()); n > 1 && n != len(l.GetTop()) {
		return l.FieldErrorf("input_param", "Must specify 'shape' once, once per top blob, or not at all: %d shapes, %d tops.", n, len(l.GetTop()))
	}
	return nil
}

// lowerInput emits a feed that the caller fills: a shape a top, or one for all.
// A net whose caller has set another shape gets that one (Builder.FeedShapes).
func lowerInput(l *spec.Layer, b *graph.Builder, _ []graph.Value) []graph.Value {
	shapes := make([]engine.Shape, len(l.GetTop()))
	given := l.GetInputParam().GetShape()
	for i := range shapes {
		if len(given) > 0 {
			shapes[i] = shapeOf(given[min(i, len(given)-1)])
		}
	}
	if b.HasFeedShapes() {
		shapes = b.FeedShapes()
	}
	return b.Feed(graph.Feed{Kind: graph.FeedInput}, shapes...)
}

// shapeOf is a shape as a prototxt gives it.
func shapeOf(s *caffepb.BlobShape) engine.Shape {
	shape := engine.Shape{}
	for _, d := range s.GetDim() {
		shape = append(shape, int(d))
	}
	return shape
}
