package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "Interp", From: "PSPNet", Bottoms: between(1, 2), Tops: exactly(1), NoInPlace: true, Check: checkInterp, Lower: lowerInterp})
}

func checkInterp(l *spec.Layer) error {
	p := l.GetInterpParam()
	const at = "interp_param."
	switch {
	case p.GetPadBeg() > 0 || p.GetPadEnd() > 0:
		return l.FieldErrorf("interp_param", "Only supports non-pos padding (cropping) for now")
	case p.GetUseBlobSize() && len(l.GetBottom()) < 2:
		return l.FieldErrorf(at+"use_blob_size", "use_blob_size needs a second bottom, which gives the size")
	case !p.GetUseBlobSize() && len(l.GetBottom()) > 1:
		return l.FieldErrorf("bottom", "Interp Layer takes 1 bottom blob(s) as input, unless interp_param.use_blob_size is set")
	case p.GetShrinkFactor() < 1:
		return l.FieldErrorf(at+"shrink_factor", "Shrink factor must be positive")
	case p.GetZoomFactor() < 1:
		return l.FieldErrorf(at+"zoom_factor", "Zoom factor must be positive")
	case p == nil || p.ZoomFactor == nil && p.ShrinkFactor == nil && !p.GetUseBlobSize() && (p.GetHeight() <= 0 || p.GetWidth() <= 0):
		return l.FieldErrorf("interp_param", "give height and width, zoom_factor or shrink_factor")
	}
	return nil
}

// lowerInterp emits the bottom (N, C, H, W), cut by −pad_beg at the top and left
// and by −pad_end at the bottom and right, and resized bilinearly with corners
// that stay corners: to height × width, to ((n − 1)/shrink_factor + 1) pixels, to
// zoom_factor − 1 more between two pixels, or both; or to the size of a second
// bottom (DeepLab, PSPNet).
func lowerInterp(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p, x := l.GetInterpParam(), b.Shape(bottom[0])
	if len(x) != 4 {
		b.Failf("bottom %s has shape %v: want 4 axes", l.GetBottom()[0], x)
		return nil
	}
	y, cut := bottom[0], -int(p.GetPadBeg()+p.GetPadEnd())
	var size [2]int
	for i := range size {
		n := x[2+i] - cut
		if n < 1 {
			b.Fail(l.FieldErrorf("interp_param", "cuts %d pixels of bottom %s, which has shape %v", cut, l.GetBottom()[0], x))
			return nil
		}
		y = part(b, y, 2+i, -int(p.GetPadBeg()), n)
		size[i] = interpSize(p, i, n)
	}
	if len(bottom) > 1 {
		like := legacy(b, bottom[1])
		if b.Err() != nil {
			return nil
		}
		size = [2]int{like[2], like[3]}
	}
	if b.Err() != nil || b.Shape(y)[2] == size[0] && b.Shape(y)[3] == size[1] {
		return []graph.Value{y}
	}
	return []graph.Value{b.Op(engine.Interp{H: size[0], W: size[1]}, y)}
}

// interpSize is the output's size along an axis (0: height) of n pixels.
func interpSize(p *caffepb.InterpParameter, axis, n int) int {
	if p.ShrinkFactor == nil && p.ZoomFactor == nil {
		return [2]int{int(p.GetHeight()), int(p.GetWidth())}[axis]
	}
	if p.ShrinkFactor != nil {
		n = (n-1)/int(p.GetShrinkFactor()) + 1
	}
	if p.ZoomFactor != nil {
		n += (n - 1) * (int(p.GetZoomFactor()) - 1)
	}
	return n
}
