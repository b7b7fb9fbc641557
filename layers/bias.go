package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Bias", Bottoms: between(1, 2), Tops: exactly(1), Check: checkBias, Lower: lowerBias})
}

func checkBias(l *spec.Layer) error {
	return checkNumAxes(l, "bias_param.num_axes", l.GetBiasParam().GetNumAxes())
}

// lowerBias emits top = x + b, b repeated over the axes that it lacks: a learned
// blob of num_axes axes of the bottom from axis on, or the second bottom.
func lowerBias(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetBiasParam()
	x, axis := bottom[0], int(p.GetAxis())
	var s graph.Value
	if len(bottom) == 2 {
		s = bottom[1]
	} else {
		s = b.Param(axesShape(b, x, axis, int(p.GetNumAxes())), p.GetFiller())
	}
	return []graph.Value{broadcast(b, engine.BroadcastAdd, x, s, axis)}
}
