package engine

// Accuracy is the share of positions whose label is among the TopK best scores.
// A score that ties with the label's counts against it, as in Caffe; a NaN score
// of the label's class is wrong (Caffe calls it right). Ignored positions count
// nowhere; without any position the accuracy is 0. Labels are checked as in
// SoftmaxLoss.
//
//	in:  scores, outer × classes (at Axis) × inner; label, outer·inner entries
//	out: accuracy (scalar), per class accuracy (classes): 0 for a class that
//	     the batch lacks; may be unread
type Accuracy struct {
	TopK, Axis int
	HasIgnore  bool
	Ignore     int
}

// Infer implements Op.
func (op Accuracy) Infer(in []Desc) ([]Desc, error) {
	out, err := SoftmaxLoss{Axis: op.Axis}.Infer(in)
	if err != nil {
		return nil, inferError(op, "%v", err)
	}
	return []Desc{out[0], Dense(in[0].Shape[op.Axis])}, nil
}

// ArgMax gives the TopK largest elements, largest first; among equals the larger
// index is first, as in Caffe, and NaN comes last. Without HasAxis all axes but
// the first are one.
//
//	in:  x
//	out: with HasAxis: x's shape with TopK at Axis, indices or with Values the
//	     values; without: (N, 1, TopK) indices, or with Values (N, 2, TopK)
//	     indices then values; padded with 1s to x's rank behind the batch as Caffe
//	     pads: shape (N, 1 or 2, TopK) where x has 3 axes or fewer, else trailing 1s
type ArgMax struct {
	TopK    int
	HasAxis bool
	Axis    int
	Values  bool
}

// Infer implements Op.
func (op ArgMax) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if op.HasAxis {
		if op.TopK < 1 || op.Axis < 0 || op.Axis >= len(x) || op.TopK > x[op.Axis] {
			return nil, inferError(op, "top %d of axis %d of shape %v", op.TopK, op.Axis, x)
		}
		y := x.Clone()
		y[op.Axis] = op.TopK
		return []Desc{Dense(y...)}, nil
	}
	if op.TopK < 1 || len(x) == 0 || op.TopK > x[1:].Count() {
		return nil, inferError(op, "top %d of shape %v", op.TopK, x)
	}
	rank := max(len(x), 3)
	y := make(Shape, rank)
	for i := range y {
		y[i] = 1
	}
	y[0], y[2] = x[0], op.TopK
	if op.Values {
		y[1] = 2
	}
	return []Desc{Dense(y...)}, nil
}
