package engine

// BoxCode is how boxes are written relative to default boxes.
type BoxCode uint8

// The codes of SSD.
const (
	CornerCode     BoxCode = iota // differences of the corners
	CenterSizeCode                // centre in sizes, logarithms of the sizes' ratios
	CornerSizeCode                // differences of the corners in sizes
)

func (c BoxCode) String() string { return [...]string{"Corner", "CenterSize", "CornerSize"}[c] }

// DetectionOutput turns predictions into detections (Liu et al. 2016, SSD): the
// boxes of each class are decoded, those with a score above Threshold sorted, and
// a box goes if its intersection over union with a better one of the class is
// larger than NMS. How many stay depends on the data: those are the first rows,
// the others hold −1.
//
//	in:  loc (N, boxes·4, or boxes·Classes·4 with PerClass), conf (N,
//	     boxes·Classes), priors (1, 2, boxes·4)
//	out: rows (Rows(…), 7): item, class, score, xmin, ymin, xmax, ymax, by item and
//	     class; used: 1 for each row that counts, else 0. Without a detection one
//	     row for each item counts, the item and −1s.
type DetectionOutput struct {
	Classes, Background int // Background −1: none
	PerClass            bool
	Code                BoxCode
	VarianceInTarget    bool
	Threshold           float32
	NMS, Eta            float32
	TopK                int // boxes looked at, −1: all
	KeepTopK            int // detections of an item, −1: all
}

// Infer implements Op.
func (op DetectionOutput) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	loc, conf, priors := in[0].Shape, in[1].Shape, in[2].Shape
	if len(loc) < 2 || len(conf) < 2 || op.Classes < 1 || priors.Count()%8 != 0 {
		return nil, inferError(op, "loc has shape %v, conf %v, priors %v", loc, conf, priors)
	}
	boxes, boxSets := priors.Count()/8, 1
	if op.PerClass {
		boxSets = op.Classes
	}
	if loc[0] != conf[0] || loc.Count() != loc[0]*boxes*boxSets*4 || conf.Count() != loc[0]*boxes*op.Classes {
		return nil, inferError(op, "%d priors: loc has shape %v, conf %v", boxes, loc, conf)
	}
	rows := op.rows(loc[0], boxes)
	return []Desc{Dense(rows, 7), Dense(rows)}, nil
}

// rows is how many detections there can be.
func (op DetectionOutput) rows(items, boxes int) int {
	if op.TopK >= 0 {
		boxes = min(boxes, op.TopK)
	}
	classes := op.Classes
	if op.Background >= 0 && op.Background < classes {
		classes--
	}
	n := boxes * classes
	if op.KeepTopK >= 0 {
		n = min(n, op.KeepTopK)
	}
	return items * max(n, 1)
}
