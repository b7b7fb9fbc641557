package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareSmoothL1)
	register(prepareSmoothL1Grad)
}

func prepareSmoothL1(op engine.SmoothL1, _, _ []engine.Desc) (compute, error) {
	s := float64(op.Sigma) * float64(op.Sigma)
	return func(l *launch) error {
		x, y := l.in[0], l.out[0]
		l.spans(len(x), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				v := math.Abs(float64(x[i]))
				if v < 1/s {
					y[i] = float32(0.5 * s * v * v)
				} else {
					y[i] = float32(v - 0.5/s)
				}
			}
		})
		return nil
	}, nil
}

func prepareSmoothL1Grad(op engine.SmoothL1Grad, _, _ []engine.Desc) (compute, error) {
	s := float64(op.Sigma) * float64(op.Sigma)
	return func(l *launch) error {
		dy, x, dx := l.in[0], l.in[1], l.out[0]
		l.spans(len(x), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				dx[i] = float32(float64(dy[i]) * min(max(s*float64(x[i]), -1), 1))
			}
		})
		return nil
	}, nil
}
