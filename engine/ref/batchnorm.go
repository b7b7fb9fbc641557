package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareBatchNorm)
	register(prepareBatchNormGrad)
	register(prepareNormalize)
	register(prepareNormalizeGrad)
	register(prepareMovingStats)
	register(prepareMovingUpdate)
}

// channels are the sizes of a tensor (N, C, …) seen channel by channel.
type channels struct{ n, c, inner int }

func newChannels(x engine.Shape) channels {
	n, c, inner := split(x, 1, 1)
	return channels{n, c, inner}
}

// size is the number of elements of one channel.
func (z channels) size() float64 { return float64(z.n * z.inner) }

// rows calls f for the place of each run of inner elements of a channel.
func (z channels) rows(c int, f func(lo, hi int)) {
	for n := range z.n {
		lo := (n*z.c + c) * z.inner
		f(lo, lo+z.inner)
	}
}

// scale writes (x − mean)·factor over a channel.
func (z channels) scale(y, x []float32, c int, mean, factor float64) {
	z.rows(c, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y[i] = float32((float64(x[i]) - mean) * factor)
		}
	})
}

func prepareBatchNorm(op engine.BatchNorm, in, _ []engine.Desc) (compute, error) {
	z := newChannels(in[0].Shape)
	return func(l *launch) error {
		x, y := l.in[0], l.out[0]
		mean, variance := l.output(1, z.c), l.output(2, z.c)
		l.each(z.c, func(c int) {
			m, v := z.stats(x, c)
			mean[c], variance[c] = float32(m), float32(v)
			if y != nil {
				z.scale(y, x, c, m, 1/math.Sqrt(v+float64(op.Eps)))
			}
		})
		return nil
	}, nil
}

// stats are the mean and the biased variance of a channel.
func (z channels) stats(x []float32, c int) (mean, variance float64) {
	z.rows(c, func(lo, hi int) {
		for _, v := range x[lo:hi] {
			mean += float64(v)
		}
	})
	mean /= z.size()
	z.rows(c, func(lo, hi int) {
		for _, v := range x[lo:hi] {
			d := float64(v) - mean
			variance += d * d
		}
	})
	return mean, variance / z.size()
}

func prepareBatchNormGrad(op engine.BatchNormGrad, in, _ []engine.Desc) (compute, error) {
	z := newChannels(in[0].Shape)
	return func(l *launch) error {
		dy, x, dx := l.in[0], l.in[1], l.out[0]
		l.each(z.c, func(c int) {
			mean, factor := float64(l.in[2][c]), rsqrt(l.in[3][c], op.Eps)
			sum, dot := 0.0, 0.0 // Σ dy and Σ dy·y
			z.rows(c, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					sum += float64(dy[i])
					dot += float64(dy[i]) * (float64(x[i]) - mean) * factor
				}
			})
			sum, dot = sum/z.size(), dot/z.size()
			z.rows(c, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					y := (float64(x[i]) - mean) * factor
					dx[i] = float32((float64(dy[i]) - sum - dot*y) * factor)
				}
			})
		})
		return nil
	}, nil
}

// rsqrt is 1/√(v + eps).
func rsqrt(v, eps float32) float64 { return 1 / math.Sqrt(float64(v)+float64(eps)) }

func prepareNormalize(op engine.Normalize, in, _ []engine.Desc) (compute, error) {
	z := newChannels(in[0].Shape)
	return func(l *launch) error {
		l.each(z.c, func(c int) {
			z.scale(l.out[0], l.in[0], c, float64(l.in[1][c]), rsqrt(l.in[2][c], op.Eps))
		})
		return nil
	}, nil
}

func prepareNormalizeGrad(op engine.NormalizeGrad, in, _ []engine.Desc) (compute, error) {
	z := newChannels(in[0].Shape)
	return func(l *launch) error {
		l.each(z.c, func(c int) {
			z.scale(l.out[0], l.in[0], c, 0, rsqrt(l.in[1][c], op.Eps))
		})
		return nil
	}, nil
}

func prepareMovingStats(_ engine.MovingStats, _, _ []engine.Desc) (compute, error) {
	return func(l *launch) error {
		factor := l.in[2][0]
		if factor != 0 {
			factor = 1 / factor
		}
		for i, y := range l.out {
			for j := range y {
				y[j] = l.in[i][j] * factor
			}
		}
		return nil
	}, nil
}

func prepareMovingUpdate(op engine.MovingUpdate, _, _ []engine.Desc) (compute, error) {
	unbias := float32(1)
	if op.Count > 1 {
		unbias = float32(op.Count) / float32(op.Count-1)
	}
	return func(l *launch) error {
		decay(l.out[0], op.Fraction, l.in[0], 1, l.in[3])
		decay(l.out[1], op.Fraction, l.in[1], unbias, l.in[4])
		decay(l.out[2], op.Fraction, l.in[2], 1, []float32{1})
		return nil
	}, nil
}

// decay writes λ·old + a·x.
func decay(y []float32, lambda float32, old []float32, a float32, x []float32) {
	for i := range y {
		y[i] = lambda*old[i] + a*x[i]
	}
}
