package engine

// LRN is local response normalisation across channels (Krizhevsky 2012), with
// Caffe's scaling: y = x·scale^−Beta, scale = K + Alpha/Size·Σ x² over the Size
// channels around (fewer at the ends; the divisor stays Size). The window of
// channel c begins at c−⌊(Size−1)/2⌋.
//
//	in:  x (N, C, H, W)
//	out: y
type LRN struct {
	Size           int
	Alpha, Beta, K float32
}

// Infer implements Op.
func (op LRN) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	if op.Size < 1 {
		return nil, inferError(op, "size %d", op.Size)
	}
	if len(in[0].Shape) != 4 {
		return nil, inferError(op, "x has shape %v, want 4 axes", in[0].Shape)
	}
	return []Desc{Dense(in[0].Shape...)}, nil
}

// LRNGrad is the gradient of LRN. It makes the scale again from x: to keep it from the
// forward pass takes as much memory as x, and reading it as much time as the sums.
//
//	in:  dy, x
//	out: dx
type LRNGrad struct {
	Size           int
	Alpha, Beta, K float32
}

// Infer implements Op.
func (op LRNGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	if _, err := (LRN{Size: op.Size}).Infer(in[:1]); err != nil {
		return nil, inferError(op, "%v", err)
	}
	return []Desc{Dense(in[0].Shape...)}, sameShapes(op, in)
}
