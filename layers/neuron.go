package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

// neuron is the Def of a layer that applies one elementwise function, with
// attributes that its parameters give. Caffe calls such layers neurons.
func neuron(typ string, op func(*spec.Layer) engine.Unary) Def {
	return Def{
		Type: typ, Bottoms: exactly(1), Tops: exactly(1),
		Lower: func(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
			return []graph.Value{b.Op(op(l), bottom[0])}
		},
	}
}
