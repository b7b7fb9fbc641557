package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() { register(neuron("TanH", tanh)) }

// tanh is the hyperbolic tangent.
func tanh(*spec.Layer) engine.Unary { return engine.Unary{Fn: engine.TanH} }
