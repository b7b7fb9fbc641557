package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { register(prepareSoftmaxLossEach) }

func prepareSoftmaxLossEach(op engine.SoftmaxLossEach, in, _ []engine.Desc) (compute, error) {
	a := newSoftmaxAxes(in[0].Shape, op.Axis)
	read := labels{a.classes, op.HasIgnore, op.Ignore}
	return func(l *launch) error {
		class, _, err := read.all(l.in[1])
		if err != nil {
			return err
		}
		for i, c := range class {
			if l.out[0][i] = 0; c >= 0 {
				l.out[0][i] = float32(-math.Log(clampLow(float64(l.in[0][a.place(i)+c*a.inner]))))
			}
		}
		return nil
	}, nil
}
