package engine

// PReLU is x > 0 ? x : slope·x with a learned slope a channel (axis 1), or one
// for all where slope has one entry and x more channels.
//
//	in:  x (N, C, …), slope (C) or (1) or scalar
//	out: y
type PReLU struct{}

// Infer implements Op.
func (op PReLU) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	x, s := in[0].Shape, in[1].Shape
	if len(x) < 2 || (s.Count() != 1 && s.Count() != x[1]) {
		return nil, inferError(op, "x has shape %v, slope has %v", x, s)
	}
	return []Desc{Dense(x...)}, nil
}

// PReLUGrad is the gradient of PReLU.
//
//	in:  dy, x, slope
//	out: dx, dslope; either may be unread
type PReLUGrad struct{}

// Infer implements Op.
func (op PReLUGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	if _, err := (PReLU{}).Infer(in[1:]); err != nil {
		return nil, inferError(op, "%v", err)
	}
	return []Desc{Dense(in[1].Shape...), Dense(in[2].Shape...)}, sameShapes(op, in[:2])
}
