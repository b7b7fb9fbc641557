package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "MemoryData", Bottoms: exactly(0), Tops: exactly(2), Check: checkMemoryData, Lower: lowerMemoryData})
}

func checkMemoryData(l *spec.Layer) error {
	p := l.GetMemoryDataParam()
	if p.GetBatchSize() == 0 || p.GetChannels() == 0 || p.GetHeight() == 0 || p.GetWidth() == 0 {
		return l.FieldErrorf("memory_data_param", "batch_size, channels, height, and width must be specified and positive in memory_data_param")
	}
	return nil
}

// lowerMemoryData emits inputs that a program sets before each run: images
// (batch_size, channels, height, width) and labels (batch_size). A program that
// has set other shapes gets those.
func lowerMemoryData(l *spec.Layer, b *graph.Builder, _ []graph.Value) []graph.Value {
	p := l.GetMemoryDataParam()
	n := int(p.GetBatchSize())
	shapes := []engine.Shape{{n, int(p.GetChannels()), int(p.GetHeight()), int(p.GetWidth())}, {n}}
	if b.HasFeedShapes() {
		shapes = b.FeedShapes()
	}
	return b.Feed(graph.Feed{Kind: graph.FeedInput}, shapes...)
}
