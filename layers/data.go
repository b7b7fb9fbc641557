package layers

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Data", Data: true, Bottoms: exactly(0), Tops: between(1, 2), Check: checkData, Lower: lowerData})
}

func checkData(l *spec.Layer) error {
	p := l.GetDataParam()
	switch {
	case p.GetSource() == "":
		return l.FieldErrorf("data_param.source", "data_param.source must name a database")
	case p.GetBatchSize() == 0:
		return l.FieldErrorf("data_param.batch_size", "Positive batch size required: set data_param.batch_size")
	}
	return checkTransform(l)
}

// lowerData emits a feed of the shapes that the layer's source has next; the
// net opens the source and reads the batches.
func lowerData(_ *spec.Layer, b *graph.Builder, _ []graph.Value) []graph.Value {
	shapes := b.FeedShapes()
	if n := len(b.Layer().GetTop()); n < len(shapes) {
		shapes = shapes[:n]
	}
	return b.Data(shapes...)
}

// checkTransform checks the transform_param that every image source has.
func checkTransform(l *spec.Layer) error {
	p := l.GetTransformParam()
	switch {
	case p.GetMeanFile() != "" && len(p.GetMeanValue()) > 0:
		return l.FieldErrorf("transform_param.mean_value", "Cannot specify mean_file and mean_value at the same time")
	case p.GetForceColor() && p.GetForceGray():
		return l.FieldErrorf("transform_param.force_gray", "cannot set both 'force_color' and 'force_gray' true")
	}
	return nil
}
