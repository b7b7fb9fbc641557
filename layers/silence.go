package layers

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Silence", Bottoms: atLeast(1), Tops: exactly(0), Lower: lowerSilence})
}

// lowerSilence emits nothing: its bottoms are consumed, and so are no outputs of
// the net.
func lowerSilence(*spec.Layer, *graph.Builder, []graph.Value) []graph.Value { return nil }
