package layers

import (
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "DenseImageData", From: "SegNet", Data: true, Bottoms: exactly(0), Tops: exactly(2), Check: checkDenseImageData, Lower: lowerData})
}

// checkDenseImageData refuses a transform_param that would move pixels away from
// their labels, at which SegNet's layer aborts when it runs.
func checkDenseImageData(l *spec.Layer) error {
	p, t := l.GetDenseImageDataParam(), l.GetTransformParam()
	const at = "dense_image_data_param."
	switch {
	case p.GetSource() == "":
		return l.FieldErrorf("dense_image_data_param", "dense_image_data_param.source must name a list of images and label images")
	case p.GetBatchSize() == 0:
		return l.FieldErrorf("dense_image_data_param", "Positive batch size required")
	case (p.GetNewHeight() == 0) != (p.GetNewWidth() == 0):
		return l.FieldErrorf(at+"new_height", "Current implementation requires new_height and new_width to be set at the same time.")
	case (p.GetCropHeight() == 0) != (p.GetCropWidth() == 0):
		return l.FieldErrorf(at+"crop_height", "Current implementation requires crop_height and crop_width to be set at the same time.")
	case t.GetMirror():
		return l.FieldErrorf("transform_param.mirror", "would turn images round without their labels: use dense_image_data_param.mirror")
	case t.GetCropSize() > 0:
		return l.FieldErrorf("transform_param.crop_size", "would cut images without their labels: use crop_height and crop_width of dense_image_data_param")
	case t.GetMeanFile() != "" && p.GetCropHeight() > 0:
		return l.FieldErrorf("transform_param.mean_file", "does not go with crop_height and crop_width: use mean_value")
	}
	return checkTransform(l)
}
