package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Convolution", Bottoms: atLeast(1), Tops: atLeast(1), SameCounts: true, Check: checkConv, Lower: lowerConv})
}

// lowerConv emits top = bottom ⋆ W + b for each bottom, all with the same
// weights. A bottom is (…, C, S…): axes before p.axis are one batch, axes behind
// it are spatial, none to any number. W is num_output × C/group × kernel.
func lowerConv(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	return lowerWindows(l, b, bottom, func(g windows, x engine.Shape) engine.Shape {
		return append(engine.Shape{g.outputs, x[1] / g.group}, g.kernel...)
	}, func(g windows, x, w graph.Value) graph.Value { return convolve(b, g, x, w) })
}

// convolve emits x ⋆ w.
func convolve(b *graph.Builder, g windows, x, w graph.Value) graph.Value {
	return b.Op(engine.Conv{
		Kernel: engine.IntsOf(g.kernel...), Stride: engine.IntsOf(g.stride...), Pad: engine.IntsOf(g.pad...),
		Dilation: engine.IntsOf(g.dilation...), Group: g.group,
	}, x, w)
}

// lowerWindows is what Convolution and Deconvolution have in common: weights of
// the given shape, applied to each bottom, then the bias.
func lowerWindows(l *spec.Layer, b *graph.Builder, bottom []graph.Value,
	weights func(g windows, x engine.Shape) engine.Shape, apply func(g windows, x, w graph.Value) graph.Value) []graph.Value {
	p := l.GetConvolutionParam()
	shape := b.Shape(bottom[0])
	axis := b.Axis(bottom[0], int(p.GetAxis()))
	if b.Err() != nil {
		return nil
	}
	g := windowsOf(b, l, len(shape)-axis-1)
	flat := append(engine.Shape{shape[:axis].Count()}, shape[axis:]...)
	if b.Err() != nil {
		return nil
	}
	if flat[1]%g.group != 0 {
		b.Failf("the %d channels of bottom %s should be a multiple of group %d", flat[1], l.GetBottom()[0], g.group)
		return nil
	}
	w := b.Param(weights(g, flat), p.GetWeightFiller())
	bias := graph.None
	if p.GetBiasTerm() {
		bias = b.Param(engine.Shape{g.outputs}, p.GetBiasFiller())
	}
	tops := make([]graph.Value, len(bottom))
	for i, x := range bottom {
		if !b.Shape(x).Equal(shape) {
			b.Failf("shape mismatch - bottom[0]: %v vs. bottom[%d]: %v", shape, i, b.Shape(x))
			return nil
		}
		y := apply(g, b.Reshape(x, flat...), w)
		if bias != graph.None {
			y = b.Op(engine.Broadcast{Fn: engine.BroadcastAdd, Axis: 1}, y, bias)
		}
		if ys := b.Shape(y); len(ys) > 0 {
			y = b.Reshape(y, append(shape[:axis].Clone(), ys[1:]...)...)
		}
		tops[i] = y
	}
	return tops
}
