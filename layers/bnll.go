package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() { register(neuron("BNLL", bnll)) }

// bnll is ln(1 + exp(x)), the binomial normal log likelihood.
func bnll(*spec.Layer) engine.Unary { return engine.Unary{Fn: engine.BNLL} }
