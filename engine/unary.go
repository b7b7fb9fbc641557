package engine

// UnaryFn is an elementwise function of one tensor.
type UnaryFn uint8

// The unary functions, with the attributes A, B, C of Unary.
const (
	ReLU      UnaryFn = iota // x > 0 ? x : A·x
	Sigmoid                  // ½·tanh(x/2) + ½
	TanH                     // tanh x
	Abs                      // |x|
	Power                    // (C + B·x)^A; A = 1 is linear
	Exp                      // B·exp(A·x)
	Log                      // A·ln(C + B·x)
	Clip                     // min(max(x, A), B)
	ELU                      // x > 0 ? x : A·(exp(x) − 1)
	BNLL                     // ln(1 + exp(x)), stable for large x
	Swish                    // x·sigmoid(A·x)
	Threshold                // x > A ? 1 : 0; no gradient
)

var unaryNames = [...]string{"ReLU", "Sigmoid", "TanH", "Abs", "Power", "Exp", "Log", "Clip", "ELU", "BNLL", "Swish", "Threshold"}

func (f UnaryFn) String() string { return unaryNames[f] }

// Unary applies a function to each element; y may be written over x.
//
//	in:  x
//	out: y, x's shape
type Unary struct {
	Fn      UnaryFn
	A, B, C float32
}

// Infer implements Op.
func (op Unary) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	return []Desc{Dense(in[0].Shape...)}, nil
}

// InPlace implements InPlacer.
func (op Unary) InPlace() int { return 0 }

// GradReadsOutput reports whether UnaryGrad's second input is y; otherwise it
// is x. Functions whose gradient y determines let x's memory be reused, which
// is what makes Caffe's in-place activations possible.
func (op Unary) GradReadsOutput() bool {
	switch op.Fn {
	case ReLU, ELU:
		return op.A >= 0 // the sign of y is then the sign of x
	case Sigmoid, TanH, Exp:
		return true
	}
	return false
}

// UnaryGrad is the gradient of Unary with the same attributes; dx may be
// written over dy. At a kink the gradient is Caffe's: ReLU and ELU take the
// negative side at 0, Abs gives 0 there, Clip passes on the inclusive range,
// BNLL's exp is clamped at 50, Power with A = 1 or A·B = 0 gives the constant
// A·B. Threshold has no gradient: engines answer ErrUnsupported.
//
//	in:  dy, r: y if Unary.GradReadsOutput, else x
//	out: dx
type UnaryGrad struct {
	Fn      UnaryFn
	A, B, C float32
}

// Infer implements Op.
func (op UnaryGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	return []Desc{Dense(in[0].Shape...)}, sameShapes(op, in)
}

// InPlace implements InPlacer.
func (op UnaryGrad) InPlace() int { return 0 }

// Forward is the function whose gradient op is.
func (op UnaryGrad) Forward() Unary { return Unary(op) }
