package layers

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	d := neuron("Exp", exp)
	d.Check = func(l *spec.Layer) error { return checkBase(l, "exp_param.base", l.GetExpParam().GetBase()) }
	register(d)
}

// exp is base^(shift + scale·x); base −1 stands for e.
func exp(l *spec.Layer) engine.Unary {
	p := l.GetExpParam()
	base := logBase(p.GetBase())
	return engine.Unary{
		Fn: engine.Exp,
		A:  float32(base * float64(p.GetScale())),
		B:  float32(math.Exp(base * float64(p.GetShift()))),
	}
}

// logBase is ln(base), 1 for Caffe's −1.
func logBase(base float32) float64 {
	if base == -1 {
		return 1
	}
	return math.Log(float64(base))
}

// checkBase checks the base of Exp and Log.
func checkBase(l *spec.Layer, field string, base float32) error {
	if base != -1 && !(base > 0) {
		return l.FieldErrorf(field, "base must be strictly positive (or -1 for e), not %g", base)
	}
	if math.IsInf(float64(base), 0) {
		return l.FieldErrorf(field, "Inf result: log(base) = log(%g)", base)
	}
	return nil
}
