package engine

// Unpool undoes a max pooling (Badrinarayanan et al. 2015, SegNet): it puts each
// element of x where mask says, a position in the plane, and 0 elsewhere. Where
// positions coincide the later element stays; −1 is no position. Any other
// position outside of the plane, NaN too, fails the stream with an *IndexError.
//
//	in:  x (N, C, h, w), mask of x's shape, float32 holding integers (truncated)
//	out: y (N, C, H, W)
type Unpool struct{ H, W int }

// Infer implements Op.
func (op Unpool) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if len(x) != 4 || op.H < 0 || op.W < 0 {
		return nil, inferError(op, "x has shape %v, want 4 axes", x)
	}
	return []Desc{Dense(x[0], x[1], op.H, op.W)}, sameShapes(op, in)
}

// UnpoolGrad takes from dy what mask points at, 0 for −1. Where positions
// coincide it is not the derivative of Unpool, but what SegNet computes: each
// gets the gradient.
//
//	in:  dy (N, C, H, W), mask (N, C, h, w)
//	out: dx of mask's shape
type UnpoolGrad struct{}

// Infer implements Op.
func (op UnpoolGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	dy, mask := in[0].Shape, in[1].Shape
	if len(dy) != 4 || len(mask) != 4 || !dy[:2].Equal(mask[:2]) {
		return nil, inferError(op, "dy has shape %v, mask has %v", dy, mask)
	}
	return []Desc{Dense(mask...)}, nil
}
