package engine

// SmoothL1 is ½·σ²·x² where |x| < 1/σ², else |x| − ½/σ² (Girshick 2015, Fast
// R-CNN); y may be written over x.
//
//	in:  x
//	out: y
type SmoothL1 struct{ Sigma float32 }

// Infer implements Op.
func (op SmoothL1) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	return []Desc{Dense(in[0].Shape...)}, nil
}

// InPlace implements InPlacer.
func (op SmoothL1) InPlace() int { return 0 }

// SmoothL1Grad is the gradient of SmoothL1: dy times σ²·x held between −1 and 1;
// dx may be written over dy.
//
//	in:  dy, x
//	out: dx
type SmoothL1Grad struct{ Sigma float32 }

// Infer implements Op.
func (op SmoothL1Grad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	return []Desc{Dense(in[0].Shape...)}, sameShapes(op, in)
}

// InPlace implements InPlacer.
func (op SmoothL1Grad) InPlace() int { return 0 }
