package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "BoxAnnotatorOHEM", From: "R-FCN", Bottoms: exactly(4), Tops: exactly(2), Check: checkBoxAnnotator, Lower: lowerBoxAnnotator})
}

func checkBoxAnnotator(l *spec.Layer) error {
	if p := l.GetBoxAnnotatorOhemParam(); p.GetRoiPerImg() == 0 {
		return l.FieldErrorf("box_annotator_ohem_param", "roi_per_img must be set and greater than 0")
	}
	return nil
}

// lowerBoxAnnotator emits the labels and the box weights of the roi_per_img regions
// bottom[0] of each image with the largest loss bottom[1]; the others get
// ignore_label and 0 (R-FCN). Labels are bottom[2], weights bottom[3]. No gradient.
func lowerBoxAnnotator(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	in := make([]graph.Value, len(bottom))
	for i, v := range bottom {
		shape := legacy(b, v)
		if b.Err() != nil {
			return nil
		}
		in[i] = b.Reshape(b.Stop(v), shape...)
	}
	p := l.GetBoxAnnotatorOhemParam()
	return b.Ops(engine.BoxAnnotator{PerItem: int(p.GetRoiPerImg()), Ignore: int(p.GetIgnoreLabel())}, in...)
}
