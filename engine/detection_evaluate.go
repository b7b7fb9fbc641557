package engine

// DetectionEvaluate holds detections against labelled boxes: a detection is right
// if it overlaps a box of its class by Overlap or more and no better one took that
// box. The first rows are (−1, class, number of boxes, −1, −1) for each class but
// the background; then come (item, class, score, right, wrong) of the detections by
// item and class, the best first where the item has a box of the class. A detection of a difficult box is neither right
// nor wrong where these do not count.
//
//	in:  detections (…, 7): item, class, score, xmin, ymin, xmax, ymax, rows of
//	     class or item −1 count for nothing; truth as in MultiBoxMatch
//	out: rows (classes but the background + detections, 5); used: 1 for each row
//	     that counts, else 0
type DetectionEvaluate struct {
	Classes, Background int // Background −1: none
	Overlap             float32
	Difficult           bool // difficult boxes count
}

// Infer implements Op.
func (op DetectionEvaluate) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	found, truth := in[0].Shape.Count(), in[1].Shape.Count()
	if op.Classes < 1 || found%7 != 0 || truth%8 != 0 {
		return nil, inferError(op, "detections have shape %v, labelled boxes %v: want rows of 7 and of 8", in[0].Shape, in[1].Shape)
	}
	rows := op.Summaries() + found/7
	return []Desc{Dense(rows, 5), Dense(rows)}, nil
}

// Summaries is the number of rows that count the labelled boxes of a class.
func (op DetectionEvaluate) Summaries() int {
	if op.Background >= 0 && op.Background < op.Classes {
		return op.Classes - 1
	}
	return op.Classes
}
