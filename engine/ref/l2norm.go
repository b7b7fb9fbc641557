package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareL2Norm)
	register(prepareL2NormGrad)
}

// l2Axes is x seen as outer × along × inner, the norm being taken along the
// middle.
func l2Axes(x engine.Shape, spatial bool) softmaxAxes {
	if spatial {
		return softmaxAxes{outer: x[0], classes: x[1:].Count(), inner: 1}
	}
	return newSoftmaxAxes(x, 1)
}

func prepareL2Norm(op engine.L2Norm, in, _ []engine.Desc) (compute, error) {
	a := l2Axes(in[0].Shape, op.Spatial)
	return func(l *launch) error {
		x := l.in[0]
		y, norm := l.output(0, len(x)), l.output(1, a.count())
		l.each(a.count(), func(i int) {
			at, sum := a.place(i), 0.0
			for c := range a.classes {
				v := float64(x[at+c*a.inner])
				sum += v * v
			}
			n := math.Sqrt(sum + float64(op.Eps))
			norm[i] = float32(n)
			for c := range a.classes {
				y[at+c*a.inner] = float32(float64(x[at+c*a.inner]) / n)
			}
		})
		return nil
	}, nil
}

func prepareL2NormGrad(op engine.L2NormGrad, in, _ []engine.Desc) (compute, error) {
	a := l2Axes(in[1].Shape, op.Spatial)
	return func(l *launch) error {
		dy, x, norm, dx := l.in[0], l.in[1], l.in[2], l.out[0]
		l.each(a.count(), func(i int) {
			at, dot := a.place(i), 0.0
			for c := range a.classes {
				dot += float64(x[at+c*a.inner]) * float64(dy[at+c*a.inner])
			}
			n := float64(norm[i])
			for c := range a.classes {
				j := at + c*a.inner
				dx[j] = float32((float64(dy[j]) - float64(x[j])*dot/(n*n)) / n)
			}
		})
		return nil
	}, nil
}
