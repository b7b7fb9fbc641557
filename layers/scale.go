package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Scale", Bottoms: between(1, 2), Tops: exactly(1), Check: checkScale, Lower: lowerScale})
}

func checkScale(l *spec.Layer) error {
	return checkNumAxes(l, "scale_param.num_axes", l.GetScaleParam().GetNumAxes())
}

// lowerScale emits top = x·s (+ b with bias_term), s repeated over the axes that
// it lacks. s is a learned blob (1 where no filler is given) of num_axes axes of
// the bottom from axis on, or the second bottom. The bias is always learned.
func lowerScale(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetScaleParam()
	x, axis, axes := bottom[0], int(p.GetAxis()), int(p.GetNumAxes())
	var y graph.Value
	if len(bottom) == 2 {
		axes = len(b.Shape(bottom[1]))
		y = broadcast(b, engine.BroadcastMul, x, bottom[1], axis)
	} else {
		filler := p.GetFiller()
		if filler == nil {
			filler = constant(1)
		}
		y = broadcast(b, engine.BroadcastMul, x, b.Param(axesShape(b, x, axis, axes), filler), axis)
	}
	if p.GetBiasTerm() {
		y = broadcast(b, engine.BroadcastAdd, y, b.Param(axesShape(b, x, axis, axes), p.GetBiasFiller()), axis)
	}
	return []graph.Value{y}
}
