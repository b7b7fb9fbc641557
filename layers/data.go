package layers

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Data", Data: true, Bottoms: exactly(0), Tops: between(1, 2), Lower: lowerData})
	register(Def{Type: "ImageData", Data: true, Bottoms: exactly(0), Tops: exactly(2), Lower: lowerData})
}

// lowerData emits a feed of the shapes that the layer's source has next; the
// net opens the source and reads the batches.
func lowerData(_ *spec.Layer, b *graph.Builder, _ []graph.Value) []graph.Value {
	shapes := b.FeedShapes()
	if n := len(b.Layer().GetTop()); n < len(shapes) {
		shapes = shapes[:n]
	}
	return b.Feed(graph.Feed{Kind: graph.FeedData}, shapes...)
}
