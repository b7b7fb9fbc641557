package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareReduce)
	register(prepareReduceGrad)
}

func prepareReduce(op engine.Reduce, in, _ []engine.Desc) (compute, error) {
	n := in[0].Shape[op.Axis:].Count()
	return func(l *launch) error {
		x, y := l.in[0], l.out[0]
		l.each(len(y), func(i int) {
			y[i] = float32(float64(op.Coeff) * fold(op.Fn, x[i*n:(i+1)*n]))
		})
		return nil
	}, nil
}

func fold(fn engine.ReduceFn, x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		switch f := float64(v); fn {
		case engine.ReduceSum:
			sum += f
		case engine.ReduceASum:
			sum += math.Abs(f)
		case engine.ReduceSumSq:
			sum += f * f
		}
	}
	return sum
}

func prepareReduceGrad(op engine.ReduceGrad, in, _ []engine.Desc) (compute, error) {
	n := in[1].Shape[op.Axis:].Count()
	return func(l *launch) error {
		dy, x, dx := l.in[0], l.in[1], l.out[0]
		l.spans(len(x), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				dx[i] = float32(float64(op.Coeff) * float64(dy[i/n]) * foldGrad(op.Fn, float64(x[i])))
			}
		})
		return nil
	}, nil
}

// foldGrad is the derivative of one term of fold.
func foldGrad(fn engine.ReduceFn, x float64) float64 {
	switch fn {
	case engine.ReduceASum:
		return step(x > 0) - step(x < 0)
	case engine.ReduceSumSq:
		return 2 * x
	}
	return 1
}
