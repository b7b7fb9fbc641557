package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Im2col", Bottoms: exactly(1), Tops: exactly(1), Check: checkGeometry, Lower: lowerIm2col})
}

// lowerIm2col emits the windows of a convolution, with convolution_param's
// geometry, as channels: (…, C, S…) becomes (…, C·∏kernel, out…), where C is the
// axis that convolution_param.axis names.
func lowerIm2col(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	x := b.Shape(bottom[0])
	axis := b.Axis(bottom[0], int(l.GetConvolutionParam().GetAxis()))
	spatial := len(x) - axis - 1
	if b.Err() == nil && spatial < 1 {
		b.Failf("bottom %s has shape %v: want at least one spatial axis behind channel axis %d", l.GetBottom()[0], x, axis)
	}
	if b.Err() != nil {
		return nil
	}
	g := windowsOf(b, l, spatial)
	op := engine.Im2col{
		Kernel: engine.IntsOf(g.kernel...), Stride: engine.IntsOf(g.stride...), Pad: engine.IntsOf(g.pad...), Dilation: engine.IntsOf(g.dilation...),
	}
	y := b.Op(op, b.Reshape(bottom[0], append(engine.Shape{x[:axis].Count()}, x[axis:]...)...))
	if b.Err() != nil {
		return nil
	}
	return []graph.Value{b.Reshape(y, append(x[:axis].Clone(), b.Shape(y)[1:]...)...)}
}
