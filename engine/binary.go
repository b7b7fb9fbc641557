package engine

// BinaryFn is an elementwise function of two tensors of one shape.
type BinaryFn uint8

// The binary functions.
const (
	Mul BinaryFn = iota // a·b
	Max                 // the larger one
)

func (f BinaryFn) String() string { return [...]string{"Mul", "Max"}[f] }

// Binary applies a function to pairs of elements; y may be written over a.
//
//	in:  a, b of one shape
//	out: y
type Binary struct {
	Fn BinaryFn
	// TieSecond lets b win where a = b (Max only): it gets the gradient.
	TieSecond bool
}

// Infer implements Op.
func (op Binary) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	return []Desc{Dense(in[0].Shape...)}, sameShapes(op, in)
}

// InPlace implements InPlacer.
func (op Binary) InPlace() int { return 0 }

// MaxGrad is the gradient of Binary{Max}: dy goes to the winner, 0 to the other.
//
//	in:  dy, a, b
//	out: da, db
type MaxGrad struct{ TieSecond bool }

// Infer implements Op.
func (op MaxGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	d := Dense(in[0].Shape...)
	return []Desc{d, d}, sameShapes(op, in)
}

// Sum is a weighted sum of tensors of one shape; y may be written over input 0.
//
//	in:  x0 … xn-1
//	out: y = act(Σ Coeff[i]·xi); an empty Coeff is all ones
type Sum struct {
	Coeff Floats
	Act   Act // set by net/plan only
	Slope float32
}

// Infer implements Op.
func (op Sum) Infer(in []Desc) ([]Desc, error) {
	if len(in) == 0 {
		return nil, inferError(op, "takes at least one input")
	}
	if n := len(op.Coeff.List()); n != 0 && n != len(in) {
		return nil, inferError(op, "%d coefficients for %d inputs", n, len(in))
	}
	return []Desc{Dense(in[0].Shape...)}, sameShapes(op, in)
}

// InPlace implements InPlacer.
func (op Sum) InPlace() int { return 0 }
