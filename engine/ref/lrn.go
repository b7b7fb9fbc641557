package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareLRN)
	register(prepareLRNGrad)
}

// prepareLRN keeps the scale as its auxiliary output.
func prepareLRN(op engine.LRN, in, _ []engine.Desc) (compute, error) {
	z := newChannels(in[0].Shape)
	return func(l *launch) error {
		x, y := l.in[0], l.output(0, len(l.in[0]))
		aux := l.output(1, len(x))
		l.each(z.n*z.c, func(i int) {
			first, lo, hi := z.around(i, op.Size, (op.Size-1)/2)
			for p := range z.inner {
				sum := 0.0
				for c := lo; c < hi; c++ {
					v := float64(x[first+c*z.inner+p])
					sum += v * v
				}
				at := i*z.inner + p
				scale := float64(op.K) + float64(op.Alpha)/float64(op.Size)*sum
				aux[at] = float32(scale)
				y[at] = float32(float64(x[at]) * math.Pow(scale, -float64(op.Beta)))
			}
		})
		return nil
	}, nil
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
		dy, x, y, aux, dx := l.in[0], l.in[1], l.in[2], l.in[3], l.out[0]
		l.each(z.n*z.c, func(i int) {
			// the channels whose windows hold this one
			first, lo, hi := z.around(i, op.Size, op.Size/2)
			for p := range z.inner {
				sum := 0.0
				for c := lo; c < hi; c++ {
					j := first + c*z.inner + p
					sum += float64(dy[j]) * float64(y[j]) / float64(aux[j])
				}
				at := i*z.inner + p
				own := float64(dy[at]) * math.Pow(float64(aux[at]), -float64(op.Beta))
				dx[at] = float32(own - factor*float64(x[at])*sum)
			}
		})
		return nil
	}, nil
}
