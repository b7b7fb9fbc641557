package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() { register(neuron("Power", power)) }

// power is (shift + scale·x)^power.
func power(l *spec.Layer) engine.Unary {
	p := l.GetPowerParam()
	return engine.Unary{Fn: engine.Power, A: p.GetPower(), B: p.GetScale(), C: p.GetShift()}
}
