package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() { register(neuron("Threshold", threshold)) }

// threshold is 1 where x > threshold, else 0; it has no gradient.
func threshold(l *spec.Layer) engine.Unary {
	return engine.Unary{Fn: engine.Threshold, A: l.GetThresholdParam().GetThreshold()}
}
