package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareBatchNormScale)
	register(prepareBatchNormScaleGrad)
}

func prepareBatchNormScale(op engine.BatchNormScale, in, _ []engine.Desc) (compute, error) {
	z := newChannels(in[0].Shape)
	return func(l *launch) error {
		x, y := l.in[0], l.out[0]
		mean, variance := l.output(1, z.c), l.output(2, z.c)
		e := newEpilogue(op.Epilogue, l.in[2:])
		l.each(z.c, func(c int) {
			m, v := z.stats(x, c)
			mean[c], variance[c] = float32(m), float32(v)
			factor := float64(l.in[1][c]) / math.Sqrt(v+float64(op.Eps))
			z.rows(c, func(lo, hi int) {
				for i := lo; i < hi && y != nil; i++ {
					y[i] = e.at((float64(x[i])-m)*factor, c, i)
				}
			})
		})
		return nil
	}, nil
}

func prepareBatchNormScaleGrad(op engine.BatchNormScaleGrad, in, _ []engine.Desc) (compute, error) {
	z := newChannels(in[0].Shape)
	return func(l *launch) error {
		dy, x, dx := l.in[0], l.in[1], l.out[0]
		dscale, dshift := l.output(1, z.c), l.output(2, z.c)
		d := func(i int) float64 {
			if op.Act == engine.ActReLU && !(l.in[5][i] > 0) {
				return float64(dy[i]) * float64(op.Slope)
			}
			return float64(dy[i])
		}
		l.each(z.c, func(c int) {
			mean, factor := float64(l.in[2][c]), rsqrt(l.in[3][c], op.Eps)
			sum, dot := 0.0, 0.0 // Σ d and Σ d·y before scale and shift
			z.rows(c, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					sum += d(i)
					dot += d(i) * (float64(x[i]) - mean) * factor
				}
			})
			dscale[c], dshift[c] = float32(dot), float32(sum)
			scale := float64(l.in[4][c]) * factor
			z.rows(c, func(lo, hi int) {
				for i := lo; i < hi && dx != nil; i++ {
					y := (float64(x[i]) - mean) * factor
					dx[i] = float32((d(i) - sum/z.size() - dot/z.size()*y) * scale)
				}
			})
		})
		return nil
	}, nil
}
