package engine

// ReduceFn is what Reduce computes of the elements that it folds.
type ReduceFn uint8

// The reductions.
const (
	ReduceSum   ReduceFn = iota // Σ x
	ReduceASum                  // Σ |x|
	ReduceSumSq                 // Σ x²
)

func (f ReduceFn) String() string { return [...]string{"Sum", "ASum", "SumSq"}[f] }

// Reduce folds all axes from Axis on and multiplies by Coeff.
//
//	in:  x
//	out: y, the shape of x's first Axis axes
type Reduce struct {
	Fn    ReduceFn
	Axis  int
	Coeff float32
}

// Infer implements Op.
func (op Reduce) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	if op.Axis < 0 || op.Axis > len(in[0].Shape) {
		return nil, inferError(op, "axis %d of shape %v", op.Axis, in[0].Shape)
	}
	return []Desc{Dense(in[0].Shape[:op.Axis]...)}, nil
}

// ReduceGrad is the gradient of Reduce: Coeff·dy, times sign(x) for ASum and
// 2x for SumSq.
//
//	in:  dy, x
//	out: dx
type ReduceGrad struct {
	Fn    ReduceFn
	Axis  int
	Coeff float32
}

// Infer implements Op.
func (op ReduceGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	dy, x := in[0].Shape, in[1].Shape
	if op.Axis < 0 || op.Axis > len(x) || !dy.Equal(x[:op.Axis]) {
		return nil, inferError(op, "dy has shape %v, x has %v, axis is %d", dy, x, op.Axis)
	}
	return []Desc{Dense(x...)}, nil
}
