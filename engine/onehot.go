package engine

// OneHot turns labels into rows that are On at the label's class and Off
// elsewhere. It has no gradient. Labels are checked as in SoftmaxLoss.
//
//	in:  label of any shape, float32 holding integers (truncated)
//	out: y, label's shape and behind it Classes
type OneHot struct {
	Classes int
	On, Off float32
}

// Infer implements Op.
func (op OneHot) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	if op.Classes < 1 {
		return nil, inferError(op, "%d classes: want 1 or more", op.Classes)
	}
	return []Desc{Dense(append(in[0].Shape.Clone(), op.Classes)...)}, nil
}
