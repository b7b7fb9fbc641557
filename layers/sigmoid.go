package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() { register(neuron("Sigmoid", sigmoid)) }

// sigmoid is 1/(1 + exp(−x)), computed as ½·tanh(x/2) + ½ as Caffe does.
func sigmoid(*spec.Layer) engine.Unary { return engine.Unary{Fn: engine.Sigmoid} }
