package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareInfogainLoss)
	register(prepareInfogainLossGrad)
}

// leastProbability is the smallest whose logarithm the loss takes.
const leastProbability = 1e-20

func prepareInfogainLoss(op engine.InfogainLoss, in, _ []engine.Desc) (compute, error) {
	a := newSoftmaxAxes(in[0].Shape, op.Axis)
	read := labels{a.classes, op.HasIgnore, op.Ignore}
	return func(l *launch) error {
		x, label, h := l.in[0], l.in[1], l.in[2]
		prob := l.output(1, len(x))
		l.each(a.count(), func(i int) { a.normalize(prob, x, i) })
		loss, valid := 0.0, 0
		for i := range label {
			class, skip, err := read.class(label, i)
			if err != nil {
				return err
			}
			if skip {
				continue
			}
			valid++
			for c, gain := range h[class*a.classes:][:a.classes] {
				loss -= float64(gain) * math.Log(max(float64(prob[a.place(i)+c*a.inner]), leastProbability))
			}
		}
		if l.out[0] != nil {
			l.out[0][0] = float32(loss / normalizer(op.Norm, len(label), valid, a.outer))
		}
		return nil
	}, nil
}

func prepareInfogainLossGrad(op engine.InfogainLossGrad, in, _ []engine.Desc) (compute, error) {
	a := newSoftmaxAxes(in[0].Shape, op.Axis)
	read := labels{a.classes, op.HasIgnore, op.Ignore}
	return func(l *launch) error {
		prob, h, dx := l.in[0], l.in[2], l.out[0]
		class, valid, err := read.all(l.in[1])
		if err != nil {
			return err
		}
		scale := float64(l.in[3][0]) / normalizer(op.Norm, len(class), valid, a.outer)
		l.each(a.count(), func(i int) {
			if class[i] < 0 {
				a.fill(dx, i, 0)
				return
			}
			row := h[class[i]*a.classes:][:a.classes]
			sum := fold(engine.ReduceSum, row)
			for c, gain := range row {
				j := a.place(i) + c*a.inner
				dx[j] = float32((float64(prob[j])*sum - float64(gain)) * scale)
			}
		})
		return nil
	}, nil
}
