package engine

// Margin makes the score of the labelled class harder to reach (Liu et al. 2017,
// SphereFace): with cos θ = product/norm it becomes (norm·ψ(θ) + λ·product)/(1 + λ),
// where ψ(θ) = (−1)ᵏ·cos(Times·θ) − 2k goes on where the cosine would rise again. The
// other scores are the products. Labels are checked as in SoftmaxLoss.
//
//	in:  product (M, classes), of x with weights of length 1; norm (M): |x|; label,
//	     M entries; λ (scalar)
//	out: y (M, classes)
type Margin struct{ Times int } // 2, 3 or 4

// Infer implements Op.
func (op Margin) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 4); err != nil {
		return nil, err
	}
	return []Desc{Dense(in[0].Shape...)}, op.check(in)
}

func (op Margin) check(in []Desc) error {
	product, norm, label := in[0].Shape, in[1].Shape, in[2].Shape
	if op.Times < 2 || op.Times > 4 || len(product) != 2 || norm.Count() != product[0] || label.Count() != product[0] || in[3].Shape.Count() != 1 {
		return inferError(op, "products have shape %v, norms %v, labels %v, lambda %v", product, norm, label, in[3].Shape)
	}
	return nil
}

// MarginGrad is SphereFace's gradient of Margin with respect to x, in two parts:
// dx = dproduct·W + dx0·x. That of the labelled class' score has length 1 where λ
// is 0, whatever the derivative's length is.
//
//	in:  dy, product, norm, label, λ
//	out: dproduct (M, classes), dx0 (M)
type MarginGrad struct{ Times int }

// Infer implements Op.
func (op MarginGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 5); err != nil {
		return nil, err
	}
	if err := Margin(op).check(in[1:]); err != nil {
		return nil, inferError(op, "%v", err)
	}
	return []Desc{Dense(in[1].Shape...), Dense(in[1].Shape[0])}, sameShapes(op, in[:2])
}
