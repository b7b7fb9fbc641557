package ref

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(preparePReLU)
	register(preparePReLUGrad)
}

// slopeStep is how far the slopes of two channels are apart: 0 where all share one.
func slopeStep(slope engine.Shape) int {
	if slope.Count() == 1 {
		return 0
	}
	return 1
}

func preparePReLU(_ engine.PReLU, in, _ []engine.Desc) (compute, error) {
	z, step := newChannels(in[0].Shape), slopeStep(in[1].Shape)
	return func(l *launch) error {
		x, slope, y := l.in[0], l.in[1], l.out[0]
		l.each(z.c, func(c int) {
			a := slope[c*step]
			z.rows(c, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					y[i] = max(x[i], 0) + a*min(x[i], 0)
				}
			})
		})
		return nil
	}, nil
}

func preparePReLUGrad(_ engine.PReLUGrad, in, _ []engine.Desc) (compute, error) {
	z, step := newChannels(in[1].Shape), slopeStep(in[2].Shape)
	slopes := in[2].Shape.Count()
	return func(l *launch) error {
		dy, x, slope := l.in[0], l.in[1], l.in[2]
		dx := l.output(0, len(x))
		sums := make([]float64, z.c)
		l.each(z.c, func(c int) {
			z.rows(c, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					if x[i] > 0 {
						dx[i] = dy[i]
						continue
					}
					sums[c] += float64(dy[i]) * float64(x[i])
					dx[i] = dy[i] * slope[c*step]
				}
			})
		})
		total := make([]float64, slopes)
		for c, s := range sums {
			total[c*step] += s
		}
		for i := range l.out[1] {
			l.out[1][i] = float32(total[i])
		}
		return nil
	}, nil
}
