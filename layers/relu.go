package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() { register(neuron("ReLU", relu)) }

// relu is max(x, 0) + negative_slope·min(x, 0); its derivative at 0 is the slope.
func relu(l *spec.Layer) engine.Unary {
	return engine.Unary{Fn: engine.ReLU, A: l.GetReluParam().GetNegativeSlope()}
}
