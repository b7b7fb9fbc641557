package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Upsample", From: "SegNet", Bottoms: exactly(2), Tops: exactly(1), NoInPlace: true, Check: checkUpsample, Lower: lowerUpsample})
}

func checkUpsample(l *spec.Layer) error {
	p := l.GetUpsampleParam()
	const at = "upsample_param."
	if p == nil {
		return nil
	}
	if p.UpsampleH != nil && p.UpsampleW != nil {
		if p.GetUpsampleH() < 2 || p.GetUpsampleW() < 2 {
			return l.FieldErrorf(at+"upsample_h", "upsample_h and upsample_w must be larger than 1")
		}
		return nil
	}
	h, w := upsampleScale(l)
	switch {
	case (p.ScaleH == nil) != (p.ScaleW == nil) || p.Scale != nil && p.ScaleH != nil:
		return l.FieldErrorf("upsample_param", "upsample_h & upsample_w are required, else (DEPRECATED) scale OR scale_h & scale_w are required.")
	case h < 2 || w < 2:
		return l.FieldErrorf("upsample_param", "scales must be larger than 1")
	case p.GetPadOutH() && h != 2:
		return l.FieldErrorf(at+"pad_out_h", "Output height padding compensation requires scale_h == 2, otherwise the output size is ill-defined.")
	case p.GetPadOutW() && w != 2:
		return l.FieldErrorf(at+"pad_out_w", "Output width padding compensation requires scale_w == 2, otherwise the output size is ill-defined.")
	}
	return nil
}

// upsampleScale is by how much height and width grow.
func upsampleScale(l *spec.Layer) (h, w int) {
	p := l.GetUpsampleParam()
	if p != nil && p.ScaleH != nil {
		return int(p.GetScaleH()), int(p.GetScaleW())
	}
	return int(p.GetScale()), int(p.GetScale())
}

// lowerUpsample emits planes in which each element of bottom[0] (N, C, h, w) stands
// where bottom[1], the mask of a MAX pooling, says, and 0 elsewhere: top (N, C, H,
// W) of the given size or of the scaled one (SegNet). A place beyond the plane
// fails the run.
func lowerUpsample(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, x, mask := l.GetUpsampleParam(), b.Shape(bottom[0]), b.Shape(bottom[1])
	if len(x) != 4 || !x.Equal(mask) {
		b.Failf("bottoms must have 4 axes and one shape: %s has %v, %s has %v", l.GetBottom()[0], x, l.GetBottom()[1], mask)
		return nil
	}
	op := engine.Unpool{H: int(p.GetUpsampleH()), W: int(p.GetUpsampleW())}
	if p == nil || p.UpsampleH == nil || p.UpsampleW == nil {
		h, w := upsampleScale(l)
		op = engine.Unpool{H: x[2] * h, W: x[3] * w}
		if p.GetPadOutH() {
			op.H--
		}
		if p.GetPadOutW() {
			op.W--
		}
	}
	return []graph.Value{b.Op(op, bottom...)}
}
