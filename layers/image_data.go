package layers

import (
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "ImageData", Data: true, Bottoms: exactly(0), Tops: exactly(2), Check: checkImageData, Lower: lowerData})
}

func checkImageData(l *spec.Layer) error {
	p := l.GetImageDataParam()
	switch {
	case p.GetSource() == "":
		return l.FieldErrorf("image_data_param.source", "image_data_param.source must name a list of images")
	case p.GetBatchSize() == 0:
		return l.FieldErrorf("image_data_param.batch_size", "Positive batch size required")
	case (p.GetNewHeight() == 0) != (p.GetNewWidth() == 0):
		return l.FieldErrorf("image_data_param.new_height", "Current implementation requires new_height and new_width to be set at the same time.")
	}
	return checkTransform(l)
}
