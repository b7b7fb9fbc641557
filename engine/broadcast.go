package engine

// BroadcastFn is how Broadcast combines.
type BroadcastFn uint8

// The broadcast functions.
const (
	BroadcastMul BroadcastFn = iota
	BroadcastAdd
)

func (f BroadcastFn) String() string { return [...]string{"Mul", "Add"}[f] }

// Broadcast multiplies x by s or adds s to it, s repeated over the axes of x
// that it lacks; y may be written over x.
//
//	in:  x, s whose shape is that of x's axes Axis, Axis+1, …; a scalar s fits all
//	out: y, x's shape
type Broadcast struct {
	Fn   BroadcastFn
	Axis int
}

// Infer implements Op.
func (op Broadcast) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	x, s := in[0].Shape, in[1].Shape
	if op.Axis < 0 || op.Axis+len(s) > len(x) || !s.Equal(x[op.Axis:op.Axis+len(s)]) {
		return nil, inferError(op, "s has shape %v, which does not fit x's %v at axis %d", s, x, op.Axis)
	}
	return []Desc{Dense(x...)}, nil
}

// InPlace implements InPlacer.
func (op Broadcast) InPlace() int { return 0 }

// BroadcastGrad is the gradient of Broadcast with respect to s: the sum, over
// the axes that s lacks, of dy (Add) or of dy·x (Mul).
//
//	in:  dy, and x for Mul
//	out: ds, of Rank axes from Axis on
type BroadcastGrad struct {
	Fn         BroadcastFn
	Axis, Rank int
}

// Infer implements Op.
func (op BroadcastGrad) Infer(in []Desc) ([]Desc, error) {
	n := 1
	if op.Fn == BroadcastMul {
		n = 2
	}
	if err := arity(op, in, n); err != nil {
		return nil, err
	}
	s := in[0].Shape
	if op.Axis < 0 || op.Rank < 0 || op.Axis+op.Rank > len(s) {
		return nil, inferError(op, "axes %d to %d of shape %v", op.Axis, op.Axis+op.Rank, s)
	}
	return []Desc{Dense(s[op.Axis : op.Axis+op.Rank]...)}, sameShapes(op, in)
}
