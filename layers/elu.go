package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() { register(neuron("ELU", elu)) }

// elu is x for x > 0, alpha·(exp(x) − 1) elsewhere.
func elu(l *spec.Layer) engine.Unary {
	return engine.Unary{Fn: engine.ELU, A: l.GetEluParam().GetAlpha()}
}
