package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "PSROIPooling", From: "R-FCN", Bottoms: exactly(2), Tops: exactly(1), Check: checkPSROIPool, Lower: lowerPSROIPool})
}

func checkPSROIPool(l *spec.Layer) error {
	p := l.GetPsroiPoolingParam()
	switch {
	case p.GetOutputDim() <= 0:
		return l.FieldErrorf("psroi_pooling_param", "output_dim must be > 0")
	case p.GetGroupSize() <= 0:
		return l.FieldErrorf("psroi_pooling_param", "group_size must be > 0")
	}
	return nil
}

// lowerPSROIPool emits the mean of each of group_size² bins of each region, each
// bin from a channel of its own: top (R, output_dim, group_size, group_size) of
// the map bottom[0] (N, output_dim·group_size², H, W) and the regions bottom[1], R
// times item, x1, y1, x2, y2 in pixels (R-FCN).
func lowerPSROIPool(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetPsroiPoolingParam()
	if !regionsFit(l, b, bottom) {
		return nil
	}
	op := engine.PSROIPool{Outputs: int(p.GetOutputDim()), Group: int(p.GetGroupSize()), Scale: p.GetSpatialScale()}
	if x := b.Shape(bottom[0]); x[1] != op.Outputs*op.Group*op.Group {
		b.Failf("input channel number does not match layer parameters: bottom %s has %d channels, want %d times %d²", l.GetBottom()[0], x[1], op.Outputs, op.Group)
		return nil
	}
	return []graph.Value{b.Op(op, bottom...)}
}
