package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareSigmoidLoss)
	register(prepareSigmoidLossGrad)
}

// ignores reports whether a target, truncated as Caffe does, is the ignored one.
func ignores(target float32, has bool, ignore int) bool {
	return has && math.Trunc(float64(target)) == float64(ignore)
}

// firstAxis is the batch size of a loss's scores.
func firstAxis(x engine.Shape) int {
	if len(x) == 0 {
		return 1
	}
	return x[0]
}

func prepareSigmoidLoss(op engine.SigmoidLoss, in, _ []engine.Desc) (compute, error) {
	batch := firstAxis(in[0].Shape)
	return func(l *launch) error {
		x, target := l.in[0], l.in[1]
		loss, valid := 0.0, 0
		for i, t := range target {
			if ignores(t, op.HasIgnore, op.Ignore) {
				continue
			}
			valid++
			v := float64(x[i])
			loss += max(v, 0) - v*float64(t) + math.Log1p(math.Exp(-math.Abs(v)))
		}
		l.out[0][0] = float32(loss / normalizer(op.Norm, len(x), valid, batch))
		return nil
	}, nil
}

func prepareSigmoidLossGrad(op engine.SigmoidLossGrad, in, _ []engine.Desc) (compute, error) {
	batch := firstAxis(in[0].Shape)
	return func(l *launch) error {
		x, target, dx := l.in[0], l.in[1], l.out[0]
		valid := 0
		for _, t := range target {
			if !ignores(t, op.HasIgnore, op.Ignore) {
				valid++
			}
		}
		scale := float64(l.in[2][0]) / normalizer(op.Norm, len(x), valid, batch)
		for i, t := range target {
			dx[i] = 0
			if !ignores(t, op.HasIgnore, op.Ignore) {
				dx[i] = float32((sigmoid(float64(x[i])) - float64(t)) * scale)
			}
		}
		return nil
	}, nil
}
