package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	d := neuron("Log", log)
	d.Check = checkLog
	register(d)
}

func checkLog(l *spec.Layer) error {
	base := l.GetLogParam().GetBase()
	if base == 1 {
		return l.FieldErrorf("log_param.base", "Inf result: 1/log(base) = 1/log(1): base must not be 1")
	}
	return checkBase(l, "log_param.base", base)
}

// log is log_base(shift + scale·x); base −1 stands for e.
func log(l *spec.Layer) engine.Unary {
	p := l.GetLogParam()
	return engine.Unary{Fn: engine.Log, A: float32(1 / logBase(p.GetBase())), B: p.GetScale(), C: p.GetShift()}
}
