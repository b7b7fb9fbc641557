package layers

import (
	"math"
	"slices"
	"strings"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func init() {
	register(Def{Type: "DetectionOutput", From: "SSD", Bottoms: between(3, 4), Tops: exactly(1), Check: checkDetectionOutput, Lower: lowerDetectionOutput})
}

func checkDetectionOutput(l *spec.Layer) error {
	p := l.GetDetectionOutputParam()
	nms := p.GetNmsParam()
	const at = "detection_output_param."
	switch {
	case p.GetNumClasses() == 0:
		return l.FieldErrorf("detection_output_param", "Must specify num_classes")
	case len(l.GetBottom()) > 3:
		return l.FieldErrorf("bottom", "DetectionOutput Layer takes 3 bottom blob(s) as input: the fourth, an image to draw on (visualize), is not supported")
	case !(nms.GetNmsThreshold() >= 0):
		return l.FieldErrorf(at+"nms_param.nms_threshold", "nms_threshold must be non negative.")
	case !(nms.GetEta() > 0 && nms.GetEta() <= 1):
		return l.FieldErrorf(at+"nms_param.eta", "eta must be larger than 0, and at most 1")
	case p.GetSaveOutputParam().GetOutputDirectory() != "" && !slices.Contains(detectionFormats, p.GetSaveOutputParam().GetOutputFormat()):
		return l.FieldErrorf(at+"save_output_param", "output_format is %q, want one of %s",
			p.GetSaveOutputParam().GetOutputFormat(), strings.Join(detectionFormats, ", "))
	case p.GetVisualize():
		return l.FieldErrorf(at+"visualize", "drawing detections in a window is not supported: leave visualize out and read the top")
	case p.GetSaveFile() != "":
		return l.FieldErrorf(at+"save_file", "writing a video is not supported: leave save_file out and read the top")
	}
	return nil
}

// detectionFormats are the known values of output_format.
var detectionFormats = []string{"VOC", "COCO", "ILSVRC"}

// lowerDetectionOutput emits detections (1, 1, rows, 7): item, class, score, xmin,
// ymin, xmax, ymax, of the locations bottom[0], the scores bottom[1] and the
// default boxes bottom[2]; without any one row for each item, the item and −1s
// (SSD). How many rows there are the data decide: before the first run it is as
// many as there can be, in a run those that count (see Filter). With an
// output_directory the host writes them to files after each forward pass; a second
// value tells it the number of items. No gradient.
func lowerDetectionOutput(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetDetectionOutputParam()
	op := engine.DetectionOutput{
		Classes: int(p.GetNumClasses()), Background: int(p.GetBackgroundLabelId()), PerClass: !p.GetShareLocation(), Code: boxCode(p.GetCodeType()),
		VarianceInTarget: p.GetVarianceEncodedInTarget(), Threshold: -math.MaxFloat32, NMS: p.GetNmsParam().GetNmsThreshold(),
		Eta: p.GetNmsParam().GetEta(), TopK: -1, KeepTopK: int(p.GetKeepTopK()),
	}
	if p.ConfidenceThreshold != nil {
		op.Threshold = p.GetConfidenceThreshold()
	}
	if nms := p.GetNmsParam(); nms != nil && nms.TopK != nil {
		op.TopK = int(nms.GetTopK())
	}
	fixed := make([]graph.Value, len(bottom))
	for i, v := range bottom {
		fixed[i] = b.Stop(v)
	}
	rows := selectRows(b, b.Ops(op, fixed...))
	if p.GetSaveOutputParam().GetOutputDirectory() != "" && b.Err() == nil {
		b.Sink(rows, b.Const(0, b.Shape(bottom[0])[0]))
	}
	return []graph.Value{rows}
}

// boxCode is the engine's name of a code.
func boxCode(c caffepb.PriorBoxParameter_CodeType) engine.BoxCode {
	return map[caffepb.PriorBoxParameter_CodeType]engine.BoxCode{
		caffepb.PriorBoxParameter_CORNER:      engine.CornerCode,
		caffepb.PriorBoxParameter_CENTER_SIZE: engine.CenterSizeCode,
		caffepb.PriorBoxParameter_CORNER_SIZE: engine.CornerSizeCode,
	}[c]
}

// selectRows emits the rows of out[0] for which out[1] is not 0, as (1, 1, rows,
// columns).
func selectRows(b *graph.Builder, out []graph.Value) graph.Value {
	if len(out) < 2 {
		return graph.None
	}
	rows := b.Op(engine.Gather{}, out[0], b.Select(out[1]))
	if b.Err() != nil {
		return graph.None
	}
	shape := b.Shape(rows)
	return b.Reshape(rows, 1, 1, shape[0], shape[1])
}
