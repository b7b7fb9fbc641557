package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	d := neuron("Clip", clip)
	d.Check = checkClip
	register(d)
}

func checkClip(l *spec.Layer) error {
	p := l.GetClipParam()
	switch {
	case p == nil || p.Min == nil || p.Max == nil:
		return l.FieldErrorf("clip_param", "clip_param.min and clip_param.max are required")
	case p.GetMin() > p.GetMax():
		return l.FieldErrorf("clip_param", "clip_param.min (%g) must not be larger than clip_param.max (%g)", p.GetMin(), p.GetMax())
	}
	return nil
}

// clip is x held between min and max; the gradient passes on that range, its
// ends included.
func clip(l *spec.Layer) engine.Unary {
	return engine.Unary{Fn: engine.Clip, A: l.GetClipParam().GetMin(), B: l.GetClipParam().GetMax()}
}
