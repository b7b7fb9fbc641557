package engine

// Confusion adds to a confusion matrix: how often a position of each class has its
// largest score at each class; among equal scores the larger class wins. Positions
// with a label of Ignore count for nothing. Labels are checked as in SoftmaxLoss.
// A count is two numbers, high·2²⁴ + low, so that it stays exact.
//
//	in:  scores, outer × classes (at axis 1) × inner; label, outer·inner entries;
//	     counts (2, classes, classes): high and low by class of label and of score
//	out: the new counts
type Confusion struct{ Ignore Ints }

// ConfusionBase is what the high part of a count is multiplied by.
const ConfusionBase = 1 << 24

// Infer implements Op.
func (op Confusion) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	if _, err := (SoftmaxLoss{Axis: 1}).Infer(in[:2]); err != nil {
		return nil, inferError(op, "%v", err)
	}
	classes := in[0].Shape[1]
	if !in[2].Shape.Equal(Shape{2, classes, classes}) {
		return nil, inferError(op, "counts have shape %v, want 2 %d %d", in[2].Shape, classes, classes)
	}
	return []Desc{Dense(in[2].Shape...)}, nil
}

// SegmentScores are scores of a confusion matrix: the share of positions that are
// right; that share for each class, averaged over the classes that occur; and
// intersection over union averaged over the classes, 1 for a class that neither
// labels nor scores have.
//
//	in:  counts as in Confusion
//	out: scores (1, 1, 1, 3)
type SegmentScores struct{}

// Infer implements Op.
func (op SegmentScores) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	if s := in[0].Shape; len(s) != 3 || s[0] != 2 || s[1] != s[2] || s[1] == 0 {
		return nil, inferError(op, "counts have shape %v, want 2 classes classes", s)
	}
	return []Desc{Dense(1, 1, 1, 3)}, nil
}
