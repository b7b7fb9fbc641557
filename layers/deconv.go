package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Deconvolution", Bottoms: atLeast(1), Tops: atLeast(1), SameCounts: true, Check: checkConv, Lower: lowerDeconv})
}

// lowerDeconv emits what the backward pass of a Convolution with the same
// parameters does to its top: each spatial axis of n becomes
// stride·(n−1) + dilation·(kernel−1) + 1 − 2·pad. W is C × num_output/group ×
// kernel, C being the bottom's channels.
func lowerDeconv(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	return lowerWindows(l, b, bottom, func(g windows, x engine.Shape) engine.Shape {
		return append(engine.Shape{x[1], g.outputs / g.group}, g.kernel...)
	}, func(g windows, x, w graph.Value) graph.Value {
		size := make([]int, len(g.kernel))
		for i, n := range b.Shape(x)[min(2, len(b.Shape(x))):] {
			size[i] = g.stride[i]*(n-1) + g.dilation[i]*(g.kernel[i]-1) + 1 - 2*g.pad[i]
			if size[i] <= 0 {
				b.Failf("spatial axis %d of the top would have size %d: pad %d is too large for kernel %d, stride %d and a bottom of shape %v",
					i, size[i], g.pad[i], g.kernel[i], g.stride[i], b.Shape(x))
				return graph.None
			}
		}
		return b.Op(engine.ConvGradData{
			Kernel: engine.IntsOf(g.kernel...), Stride: engine.IntsOf(g.stride...), Pad: engine.IntsOf(g.pad...),
			Dilation: engine.IntsOf(g.dilation...), Group: g.group, Size: engine.IntsOf(size...),
		}, x, w)
	})
}
