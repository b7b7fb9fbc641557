package engine

// InfogainLoss is the cross entropy of softmax(x) and the row of H that the
// label picks: Σ −H[label, c]·ln max(p[c], 1e-20) / normaliser over the classes c
// and the positions that are not ignored. Labels are checked as in SoftmaxLoss.
//
//	in:  x, outer axes × classes (at Axis) × inner axes; label, outer·inner
//	     entries; H of classes² entries, a row a label
//	out: loss (scalar), prob: softmax(x)
type InfogainLoss struct {
	Axis      int
	HasIgnore bool
	Ignore    int
	Norm      Normalization
}

// Infer implements Op.
func (op InfogainLoss) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	out, err := SoftmaxLoss{Axis: op.Axis}.Infer(in[:2])
	if err != nil {
		return nil, inferError(op, "%v", err)
	}
	if n := in[0].Shape[op.Axis]; in[2].Shape.Count() != n*n {
		return nil, inferError(op, "H has shape %v, want %d x %d", in[2].Shape, n, n)
	}
	return out, nil
}

// InfogainLossGrad is the gradient of InfogainLoss with respect to x:
// (prob·Σ H[label] − H[label])·dloss/normaliser, as in Caffe also where prob is below
// 1e-20; 0 where the label is ignored. dx may be written over prob.
//
//	in:  prob, label, H, dloss (scalar)
//	out: dx
type InfogainLossGrad struct {
	Axis      int
	HasIgnore bool
	Ignore    int
	Norm      Normalization
}

// Infer implements Op.
func (op InfogainLossGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 4); err != nil {
		return nil, err
	}
	if _, err := (InfogainLoss{Axis: op.Axis}).Infer(in[:3]); err != nil {
		return nil, inferError(op, "%v", err)
	}
	if in[3].Shape.Count() != 1 {
		return nil, inferError(op, "dloss has shape %v, want one element", in[3].Shape)
	}
	return []Desc{Dense(in[0].Shape...)}, nil
}

// InPlace implements InPlacer.
func (op InfogainLossGrad) InPlace() int { return 0 }
