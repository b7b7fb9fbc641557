package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	d := neuron("AbsVal", absVal)
	d.NoInPlace = true
	register(d)
}

// absVal is |x|; its derivative at 0 is 0.
func absVal(*spec.Layer) engine.Unary { return engine.Unary{Fn: engine.Abs} }
