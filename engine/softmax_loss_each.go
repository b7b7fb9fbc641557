package engine

// SoftmaxLossEach is what SoftmaxLoss sums up: −ln max(p[label], FLT_MIN) of each
// position, 0 where the label is ignored. It has no gradient. Labels are checked
// as in SoftmaxLoss.
//
//	in:  prob, label as in SoftmaxLossGrad
//	out: y, label's shape
type SoftmaxLossEach struct {
	Axis      int
	HasIgnore bool
	Ignore    int
}

// Infer implements Op.
func (op SoftmaxLossEach) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	if _, err := (SoftmaxLoss{Axis: op.Axis}).Infer(in); err != nil {
		return nil, inferError(op, "%v", err)
	}
	return []Desc{Dense(in[1].Shape...)}, nil
}
