package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareUnary)
	register(prepareUnaryGrad)
}

func prepareUnary(op engine.Unary, _, _ []engine.Desc) (compute, error) {
	f := unaryFn(op)
	if f == nil {
		return nil, unsupported(op, "no such function")
	}
	return func(l *launch) error {
		x, y := l.in[0], l.out[0]
		l.spans(len(x), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				y[i] = float32(f(float64(x[i])))
			}
		})
		return nil
	}, nil
}

// unaryFn is the function of x.
func unaryFn(op engine.Unary) func(x float64) float64 {
	a, b, c := float64(op.A), float64(op.B), float64(op.C)
	switch op.Fn {
	case engine.ReLU:
		return func(x float64) float64 { return max(x, 0) + a*min(x, 0) }
	case engine.Sigmoid:
		return sigmoid
	case engine.TanH:
		return math.Tanh
	case engine.Abs:
		return math.Abs
	case engine.Power:
		return func(x float64) float64 { return power(c+b*x, a) }
	case engine.Exp:
		return func(x float64) float64 { return b * math.Exp(a*x) }
	case engine.Log:
		return func(x float64) float64 { return a * math.Log(c+b*x) }
	case engine.Clip:
		return func(x float64) float64 { return min(max(x, a), b) }
	case engine.ELU:
		return func(x float64) float64 { return max(x, 0) + a*math.Expm1(min(x, 0)) }
	case engine.BNLL:
		return func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
	case engine.Swish:
		return func(x float64) float64 { return x * sigmoid(a*x) }
	case engine.Threshold:
		return func(x float64) float64 { return step(x > a) }
	}
	return nil
}

func prepareUnaryGrad(op engine.UnaryGrad, _, _ []engine.Desc) (compute, error) {
	f := unaryGradFn(op)
	if f == nil {
		return nil, unsupported(op, op.Fn.String()+" has no gradient")
	}
	return func(l *launch) error {
		dy, r, dx := l.in[0], l.in[1], l.out[0]
		l.spans(len(dy), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				dx[i] = float32(float64(dy[i]) * f(float64(r[i])))
			}
		})
		return nil
	}, nil
}

// unaryGradFn is the derivative as a function of r, which is y where
// GradReadsOutput says so and x otherwise.
func unaryGradFn(op engine.UnaryGrad) func(r float64) float64 {
	a, b, c := float64(op.A), float64(op.B), float64(op.C)
	switch op.Fn {
	case engine.ReLU:
		return func(r float64) float64 { return step(r > 0) + a*step(r <= 0) }
	case engine.Sigmoid:
		return func(y float64) float64 { return y * (1 - y) }
	case engine.TanH:
		return func(y float64) float64 { return 1 - y*y }
	case engine.Abs:
		return func(x float64) float64 { return step(x > 0) - step(x < 0) }
	case engine.Power:
		return powerGrad(a, b, c)
	case engine.Exp:
		return func(y float64) float64 { return a * y }
	case engine.Log:
		return func(x float64) float64 { return a * b / (c + b*x) }
	case engine.Clip:
		return func(x float64) float64 { return step(x >= a && x <= b) }
	case engine.ELU:
		return eluGrad(op.Forward().GradReadsOutput(), a)
	case engine.BNLL:
		return func(x float64) float64 { return sigmoid(min(x, 50)) }
	case engine.Swish:
		return func(x float64) float64 {
			s := sigmoid(a * x)
			return s + a*x*s*(1-s)
		}
	}
	return nil
}

func powerGrad(a, b, c float64) func(x float64) float64 {
	if a == 1 || a*b == 0 {
		return func(float64) float64 { return a * b }
	}
	return func(x float64) float64 { return a * b * power(c+b*x, a-1) }
}

func eluGrad(readsOutput bool, a float64) func(r float64) float64 {
	return func(r float64) float64 {
		switch {
		case r > 0:
			return 1
		case readsOutput:
			return r + a
		}
		return a * math.Exp(r)
	}
}

// power is x^a; the cases are the common ones, where math.Pow is slow.
func power(x, a float64) float64 {
	switch a {
	case 1:
		return x
	case 2:
		return x * x
	}
	return math.Pow(x, a)
}

// sigmoid is 1/(1 + exp(−x)) without overflow.
func sigmoid(x float64) float64 { return 0.5*math.Tanh(0.5*x) + 0.5 }

// step is 1 where the condition holds, else 0.
func step(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
