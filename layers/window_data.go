package layers

import "github.com/gocaffe/gocaffe/net/spec"

func init() {
	register(Def{Type: "WindowData", Data: true, Bottoms: exactly(0), Tops: exactly(2), Check: checkWindowData, Lower: lowerData})
}

// checkWindowData checks the parameters of a layer whose tops are windows of
// images, warped to (batch_size, 3, crop_size, crop_size), and their labels
// (batch_size).
func checkWindowData(l *spec.Layer) error {
	switch p := l.GetWindowDataParam(); {
	case p.GetSource() == "":
		return l.FieldErrorf("window_data_param", "window_data_param.source must name a window file")
	case p.GetBatchSize() == 0:
		return l.FieldErrorf("window_data_param", "Positive batch size required: set window_data_param.batch_size")
	case p.GetCropMode() != "warp" && p.GetCropMode() != "square":
		return l.FieldErrorf("window_data_param.crop_mode", "crop_mode %q: want \"warp\" or \"square\"", p.GetCropMode())
	case l.GetTransformParam().GetCropSize() == 0:
		return l.FieldErrorf("transform_param", "transform_param.crop_size must be positive: it is the size that windows are warped to")
	}
	return checkTransform(l)
}
