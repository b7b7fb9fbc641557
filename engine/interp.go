package engine

// Interp resizes planes bilinearly so that the corners stay where they are:
// position i of an axis is read at i·(in − 1)/(out − 1) (Chen et al. 2015,
// DeepLab); an axis of one output reads position 0.
//
//	in:  x (N, C, h, w)
//	out: y (N, C, H, W)
type Interp struct{ H, W int }

// Infer implements Op.
func (op Interp) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if len(x) != 4 || x[2] < 1 || x[3] < 1 || op.H < 1 || op.W < 1 {
		return nil, inferError(op, "x has shape %v, want 4 axes and planes that are not empty", x)
	}
	return []Desc{Dense(x[0], x[1], op.H, op.W)}, nil
}

// InterpGrad is the gradient of an Interp whose input planes are H × W.
//
//	in:  dy (N, C, h, w)
//	out: dx (N, C, H, W)
type InterpGrad struct{ H, W int }

// Infer implements Op.
func (op InterpGrad) Infer(in []Desc) ([]Desc, error) {
	out, err := Interp(op).Infer(in)
	if err != nil {
		return nil, inferError(op, "%v", err)
	}
	return out, nil
}
