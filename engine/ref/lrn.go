package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareLRN)
	register(prepareLRNGrad)
}

func prepareLRN(op engine.LRN, in, _ []engine.Desc) (compute, error) {
	z := newChannels(in[0].Shape)
	return func(l *launch) error {
		x, y := l.in[0], l.output(0, len(l.in[0]))
		l.each(z.n*z.c, func(i int) {
			for p := range z.inner {
				at := i*z.inner + p
				y[at] = float32(float64(x[at]) * math.Pow(z.lrnScale(op, x, i, p), -float64(op.Beta)))
			}
		})
		return nil
	}, nil
}

// lrnScale is that of position p of plane i.
func (z channels) lrnScale(op engine.LRN, x []float32, i, p int) float64 {
	first, lo, hi := z.around(i, op.Size, (op.Size-1)/2)
	sum := 0.0
	for c := lo; c < hi; c++ {
		v := float64(x[first+c*z.inner+p])
		sum += v * v
	}
	return float64(op.K) + float64(op.Alpha)/float64(op.Size)*sum
}

// around gives the channels lo … hi-1 of the window of size channels that starts
// before channels ahead of plane i, and where their image begins.
func (z channels) around(i, size, before int) (first, lo, hi int) {
	n, c := i/z.c, i%z.c
	return n * z.c * z.inner, max(c-before, 0), min(c-before+size, z.c)
}

func prepareLRNGrad(op engine.LRNGrad, in, _ []engine.Desc) (compute, error) {
	z := newChannels(in[0].Shape)
	factor := 2 * float64(op.Alpha) * float64(op.Beta) / float64(op.Size)
	return func(l *launch) error {
		dy, x, dx := l.in[0], l.in[1], l.out[0]
		l.each(z.n*z.c, func(i int) {
			// the channels whose windows hold this one
			first, lo, hi := z.around(i, op.Size, op.Size/2)
			for p := range z.inner {
				sum := 0.0
				for c := lo; c < hi; c++ {
					j := first + c*z.inner + p
					sum += float64(dy[j]) * float64(x[j]) * math.Pow(z.lrnScale(engine.LRN(op), x, i/z.c*z.c+c, p), -float64(op.Beta)-1)
				}
				at := i*z.inner + p
				own := float64(dy[at]) * math.Pow(z.lrnScale(engine.LRN(op), x, i, p), -float64(op.Beta))
				dx[at] = float32(own - factor*float64(x[at])*sum)
			}
		})
		return nil
	}, nil
}
