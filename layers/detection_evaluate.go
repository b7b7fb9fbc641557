package layers

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "DetectionEvaluate", From: "SSD", Bottoms: exactly(2), Tops: exactly(1), Check: checkDetectionEvaluate, Lower: lowerDetectionEvaluate})
}

func checkDetectionEvaluate(l *spec.Layer) error {
	p := l.GetDetectionEvaluateParam()
	const at = "detection_evaluate_param."
	switch {
	case p.GetNumClasses() == 0:
		return l.FieldErrorf("detection_evaluate_param", "Must provide num_classes.")
	case !(p.GetOverlapThreshold() > 0):
		return l.FieldErrorf(at+"overlap_threshold", "overlap_threshold must be positive")
	case p.GetNameSizeFile() != "":
		return l.FieldErrorf(at+"name_size_file", "overlaps in pixels of the images' own sizes are not supported: "+
			"leave name_size_file out, and boxes are compared as they are, in parts of the image")
	}
	return nil
}

// lowerDetectionEvaluate emits the rows (1, 1, rows, 5) of engine.DetectionEvaluate
// for the detections bottom[0], (1, 1, rows, 7), and the labelled boxes bottom[1],
// (1, 1, rows, 8) (SSD). How many rows there are the data decide, as for
// DetectionOutput. No gradient.
func lowerDetectionEvaluate(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	for i, width := range []int{7, 8} {
		if s := b.Shape(bottom[i]); len(s) != 4 || s[0] != 1 || s[1] != 1 || s[3] != width {
			b.Failf("bottom %s has shape %v: want 1 1 rows %d", l.GetBottom()[i], s, width)
			return nil
		}
	}
	p := l.GetDetectionEvaluateParam()
	op := engine.DetectionEvaluate{
		Classes: int(p.GetNumClasses()), Background: int(p.GetBackgroundLabelId()), Overlap: p.GetOverlapThreshold(), Difficult: p.GetEvaluateDifficultGt(),
	}
	return []graph.Value{selectRows(b, b.Ops(op, b.Stop(bottom[0]), b.Stop(bottom[1])))}
}
