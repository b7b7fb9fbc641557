package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareMargin)
	register(prepareMarginGrad)
}

func prepareMargin(op engine.Margin, in, _ []engine.Desc) (compute, error) {
	rows, classes := in[0].Shape[0], in[0].Shape[1]
	read := labels{classes: classes}
	return func(l *launch) error {
		class, _, err := read.all(l.in[2])
		if err != nil {
			return err
		}
		lambda := float64(l.in[3][0])
		copy(l.out[0], l.in[0])
		for i := range rows {
			at, norm := i*classes+class[i], float64(l.in[1][i])
			product := float64(l.in[0][at])
			psi, _, _ := marginOf(op.Times, cosine(product, norm))
			l.out[0][at] = float32((norm*psi + lambda*product) / (1 + lambda))
		}
		return nil
	}, nil
}

// cosine is product/norm; the angle to nothing is a right one.
func cosine(product, norm float64) float64 {
	if norm == 0 {
		return 0
	}
	return product / norm
}

// sign is −1, 0 or 1.
func sign(x float64) float64 { return step(x > 0) - step(x < 0) }

// marginOf gives ψ and what the gradient of |x|·ψ is along the weights and, times
// −1/|x|, along x.
func marginOf(times int, cos float64) (psi, alongW, alongX float64) {
	c2 := cos * cos
	s := sign(cos)
	switch times {
	case 2:
		return 2*s*c2 - 1, 4 * s * cos, 2*s*c2 + 1
	case 3:
		s1 := sign(math.Abs(cos) - 0.5)
		s2 := s*(1+s1) - 2
		return s1*(4*c2*cos-3*cos) + s2, s1 * (12*c2 - 3), 8*s1*c2*cos - s2
	}
	s3 := s * sign(2*c2-1)
	s4 := 2*s + s3 - 3
	return s3*(8*c2*c2-8*c2+1) + s4, s3 * (32*c2*cos - 16*cos), s3*(24*c2*c2-8*c2-1) - s4
}

func prepareMarginGrad(op engine.MarginGrad, in, _ []engine.Desc) (compute, error) {
	rows, classes := in[1].Shape[0], in[1].Shape[1]
	read := labels{classes: classes}
	return func(l *launch) error {
		class, _, err := read.all(l.in[3])
		if err != nil {
			return err
		}
		lambda := float64(l.in[4][0])
		dproduct, dx0 := l.output(0, rows*classes), l.output(1, rows)
		copy(dproduct, l.in[0])
		for i := range rows {
			at, norm := i*classes+class[i], float64(l.in[2][i])
			dy := float64(l.in[0][at])
			_, w, x := marginOf(op.Times, cosine(float64(l.in[1][at]), norm))
			if norm == 0 { // x adds nothing, whatever its share
				w, x = 0, 0
			} else if length := math.Hypot(w, x/norm); length > 0 {
				w, x = w/length, -x/norm/length
			}
			dproduct[at] = float32(dy * (w + lambda) / (1 + lambda))
			dx0[i] = float32(dy * x / (1 + lambda))
		}
		return nil
	}, nil
}
