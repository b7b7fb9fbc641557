package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "PReLU", Bottoms: exactly(1), Tops: exactly(1), Lower: lowerPReLU})
}

// lowerPReLU emits top = max(x, 0) + slope·min(x, 0) with a learned slope for
// each channel (axis 1), or one for all with channel_shared. Slopes start at 0.25
// where no filler is given.
func lowerPReLU(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetPreluParam()
	x := b.Shape(bottom[0])
	if len(x) < 2 {
		b.Failf("Number of axes of bottom blob must be >=2: bottom %s has shape %v.", l.GetBottom()[0], x)
		return nil
	}
	shape := engine.Shape{x[1]}
	if p.GetChannelShared() {
		shape = engine.Shape{}
	}
	filler := p.GetFiller()
	if filler == nil {
		filler = constant(0.25)
	}
	return []graph.Value{b.Op(engine.PReLU{}, bottom[0], b.Param(shape, filler))}
}
