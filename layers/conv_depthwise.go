package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{
		Type: "ConvolutionDepthwise", From: "ShuffleNet", Bottoms: exactly(1), Tops: exactly(1), Check: checkConvDepthwise,
		Lower: func(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
			return lowerWindows(l, b, bottom, depthwiseWeights, func(g windows, x, w graph.Value) graph.Value {
				if channels := b.Shape(x)[1]; g.outputs != channels {
					b.Fail(l.FieldErrorf("convolution_param.num_output", "num_output is %d, bottom %s has %d channels: a depthwise convolution has as many", g.outputs, l.GetBottom()[0], channels))
					return graph.None
				}
				g.group = g.outputs
				return convolve(b, g, x, w)
			})
		},
	})
	// yonghenglh6's layer is a Convolution whose group is the number of channels.
	register(Def{Type: "DepthwiseConvolution", From: "yonghenglh6", Bottoms: atLeast(1), Tops: atLeast(1), SameCounts: true, Check: checkConv, Lower: lowerConv})
}

// checkConvDepthwise is checkConv, but group need not be set.
func checkConvDepthwise(l *spec.Layer) error {
	if l.GetConvolutionParam().GetNumOutput() == 0 {
		return l.FieldErrorf("convolution_param.num_output", "convolution_param.num_output must be positive")
	}
	return checkGeometry(l)
}

// depthwiseWeights is one filter for each channel: num_output × 1 × kernel.
func depthwiseWeights(g windows, _ engine.Shape) engine.Shape {
	return append(engine.Shape{g.outputs, 1}, g.kernel...)
}
