package engine

// L2Norm divides by the Euclidean norm: y = x/√(Σx² + Eps), the sum over the
// channels (axis 1) of each position, or with Spatial over all axes of an item.
//
//	in:  x (N, C, …)
//	out: y, norm: √(Σx² + Eps), (N, …) or with Spatial (N)
type L2Norm struct {
	Spatial bool
	Eps     float32
}

// Infer implements Op.
func (op L2Norm) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if len(x) < 2 {
		return nil, inferError(op, "x has shape %v, want at least 2 axes", x)
	}
	norm := Shape{x[0]}
	if !op.Spatial {
		norm = append(norm, x[2:]...)
	}
	return []Desc{Dense(x...), Dense(norm...)}, nil
}

// L2NormGrad is the gradient of L2Norm: (dy − x·Σ(x·dy)/norm²)/norm.
//
//	in:  dy, x, norm
//	out: dx
type L2NormGrad struct {
	Spatial bool
	Eps     float32
}

// Infer implements Op.
func (op L2NormGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	out, err := L2Norm(op).Infer(in[1:2])
	if err != nil {
		return nil, inferError(op, "%v", err)
	}
	if !in[2].Shape.Equal(out[1].Shape) {
		return nil, inferError(op, "norm has shape %v, want %v", in[2].Shape, out[1].Shape)
	}
	return out[:1], sameShapes(op, in[:2])
}
