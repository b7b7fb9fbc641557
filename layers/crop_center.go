package layers

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "CropCenter", From: "waifu2x-caffe", Bottoms: exactly(1), Tops: exactly(1), Lower: lowerCropCenter})
}

// lowerCropCenter emits the bottom without the first and the last crop_size[i]
// entries of each axis i; axes that crop_size does not name stay whole
// (waifu2x-caffe).
func lowerCropCenter(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	y, x := bottom[0], b.Shape(bottom[0])
	for i, crop := range l.GetCropCenterParam().GetCropSize() {
		if i >= len(x) || x[i] <= 2*int(crop) {
			b.Fail(l.FieldErrorf("crop_center_param.crop_size", "cannot cut %d from both ends of axis %d of bottom %s, which has shape %v", crop, i, l.GetBottom()[0], x))
			return nil
		}
		y = part(b, y, i, int(crop), x[i]-2*int(crop))
	}
	return []graph.Value{y}
}
