package engine

// SigmoidLoss is the cross entropy of sigmoid(x) and targets in [0, 1], summed
// and divided by the normaliser, in the stable form. NormValid counts elements
// that are not ignored, NormBatchSize is axis 0, NormFull all elements. An
// element is ignored if its target, truncated to an integer as Caffe does, is
// Ignore.
//
//	in:  x, target of as many elements
//	out: loss (scalar)
type SigmoidLoss struct {
	HasIgnore bool
	Ignore    int
	Norm      Normalization
}

// Infer implements Op.
func (op SigmoidLoss) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	if in[0].Shape.Count() != in[1].Shape.Count() {
		return nil, inferError(op, "scores have shape %v, targets have %v", in[0].Shape, in[1].Shape)
	}
	return []Desc{Dense()}, nil
}

// SigmoidLossGrad is the gradient of SigmoidLoss with respect to x:
// (sigmoid(x) − target)·dloss/normaliser, 0 where the target is ignored.
//
//	in:  x, target, dloss (scalar)
//	out: dx
type SigmoidLossGrad struct {
	HasIgnore bool
	Ignore    int
	Norm      Normalization
}

// Infer implements Op.
func (op SigmoidLossGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	if _, err := (SigmoidLoss{}).Infer(in[:2]); err != nil {
		return nil, inferError(op, "%v", err)
	}
	if in[2].Shape.Count() != 1 {
		return nil, inferError(op, "dloss has shape %v, want one element", in[2].Shape)
	}
	return []Desc{Dense(in[0].Shape...)}, nil
}
