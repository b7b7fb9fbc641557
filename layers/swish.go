package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() { register(neuron("Swish", swish)) }

// swish is x·sigmoid(beta·x).
func swish(l *spec.Layer) engine.Unary {
	return engine.Unary{Fn: engine.Swish, A: l.GetSwishParam().GetBeta()}
}
