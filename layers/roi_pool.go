package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "ROIPooling", From: "Fast R-CNN", Bottoms: exactly(2), Tops: exactly(1), Check: checkROIPool, Lower: lowerROIPool})
}

func checkROIPool(l *spec.Layer) error {
	p := l.GetRoiPoolingParam()
	switch {
	case p.GetPooledH() == 0:
		return l.FieldErrorf("roi_pooling_param", "pooled_h must be > 0: set roi_pooling_param.pooled_h")
	case p.GetPooledW() == 0:
		return l.FieldErrorf("roi_pooling_param", "pooled_w must be > 0: set roi_pooling_param.pooled_w")
	}
	return nil
}

// lowerROIPool emits the largest element of each of pooled_h × pooled_w bins of
// each region: top (R, C, pooled_h, pooled_w) of the map bottom[0] (N, C, H, W)
// and the regions bottom[1], R times item, x1, y1, x2, y2 in pixels of the image,
// of which spatial_scale makes cells (Fast R-CNN).
func lowerROIPool(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetRoiPoolingParam()
	if !regionsFit(l, b, bottom) {
		return nil
	}
	op := engine.ROIPool{H: int(p.GetPooledH()), W: int(p.GetPooledW()), Scale: p.GetSpatialScale()}
	return []graph.Value{b.Op(op, bottom...)}
}

// regionsFit checks the shapes of a map and of regions in it.
func regionsFit(l *spec.Layer, b *graph.Builder, bottom []graph.Value) bool {
	x, rois := b.Shape(bottom[0]), b.Shape(bottom[1])
	switch {
	case len(x) != 4:
		b.Failf("bottom %s has shape %v: want 4 axes", l.GetBottom()[0], x)
	case len(rois) == 0 || rois.Count() != 5*rois[0]:
		b.Failf("bottom %s has shape %v: want regions of 5 numbers, item, x1, y1, x2, y2", l.GetBottom()[1], rois)
	}
	return b.Err() == nil
}
