//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(prepareBatchNorm)
	registerAny(prepareBatchNormGrad)
	registerAny(prepareNormalize)
	registerAny(prepareNormalizeGrad)
	register(prepareMovingStats)
	register(prepareMovingUpdate)
}

type batchNormGradArgs struct {
	DY, X, Mean, Var, Sums, Y uint64
	Inner, Channels           div
	N                         uint32
	Eps                       float32
}

var (
	normalize     = declare[channelArgs]("normalize", formF32, formBF16)
	batchNormGrad = declare[batchNormGradArgs]("batchnorm_grad", formF32, formBF16)
)

// normalizeBy adds the launch of (x − mean)/√(variance + eps).
func (b *build) normalizeBy(z axes, form string, eps float32, x, mean, variance, y pointer) {
	packs(b, normalize, form, z.count(), func(l *launch) channelArgs {
		a := channelArgsOf(z)
		a.X, a.S, a.T, a.Y, a.Eps = x(l), mean.at(l), variance(l), y(l), eps
		return a
	})
}

func prepareBatchNorm(d *device, op engine.BatchNorm, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], out[0])
	if err != nil {
		return nil, err
	}
	if err := plain(op, out[1:]...); err != nil {
		return nil, err
	}
	z, err := viewOf(op, in[0], 1, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	mean, variance := b.kept(out, 1, z.mid), b.kept(out, 2, z.mid)
	share := 1 / float32(z.outer*z.inner)
	b.fold(z, form, folding{fn: foldSum, coeff: share, a: input(0), y: mean})
	b.fold(z, form, folding{fn: foldVariance, coeff: share, a: input(0), mean: mean, y: variance})
	if out[0].DType != engine.None {
		b.normalizeBy(z, form, op.Eps, input(0), mean, variance, output(0))
	}
	return b.kernel()
}

func prepareBatchNormGrad(d *device, op engine.BatchNormGrad, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], in[1], out[0])
	if err != nil {
		return nil, err
	}
	if err := plain(op, in[2:]...); err != nil {
		return nil, err
	}
	z, err := viewOf(op, in[1], 1, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	sums := b.scratch(8 * z.mid)
	b.fold(z, form, folding{fn: foldBatchNormDot, coeff: 1 / float32(z.outer*z.inner), eps: op.Eps,
		a: input(0), b: input(1), mean: input(2), variance: input(3), y: sums})
	packs(b, batchNormGrad, form, z.count(), func(l *launch) batchNormGradArgs {
		return batchNormGradArgs{DY: l.in[0], X: l.in[1], Mean: l.in[2], Var: l.in[3], Sums: sums(l), Y: l.out[0],
			Inner: divOf(z.inner), Channels: divOf(z.mid), N: uint32(z.count()), Eps: op.Eps}
	})
	return b.kernel()
}

func prepareNormalize(d *device, op engine.Normalize, in, out []engine.Desc) (*kernel, error) {
	return prepareScaled(d, op, op.Eps, in, out, input(1), input(2))
}

func prepareNormalizeGrad(d *device, op engine.NormalizeGrad, in, out []engine.Desc) (*kernel, error) {
	return prepareScaled(d, op, op.Eps, in, out, nil, input(1))
}

func prepareScaled(d *device, op engine.Op, eps float32, in, out []engine.Desc, mean, variance pointer) (*kernel, error) {
	form, err := alike(op, in[0], out[0])
	if err != nil {
		return nil, err
	}
	if err := plain(op, in[1:]...); err != nil {
		return nil, err
	}
	z, err := viewOf(op, in[0], 1, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	b.normalizeBy(z, form, eps, input(0), mean, variance, output(0))
	return b.kernel()
}

type movingArgs struct {
	M, V, S, Mean, Var, MOut, VOut, SOut uint64
	N                                    uint32
	Fraction, Unbias                     float32
}

var (
	movingStats  = declare[movingArgs]("moving_stats")
	movingUpdate = declare[movingArgs]("moving_update")
)

func prepareMovingStats(d *device, op engine.MovingStats, in, out []engine.Desc) (*kernel, error) {
	n := in[0].Shape.Count()
	b := newBuild(d, op, in, out)
	each(b, movingStats, "", n, func(l *launch) movingArgs {
		return movingArgs{M: l.in[0], V: l.in[1], S: l.in[2], MOut: l.out[0], VOut: l.out[1], N: uint32(n)}
	})
	return b.kernel()
}

func prepareMovingUpdate(d *device, op engine.MovingUpdate, in, out []engine.Desc) (*kernel, error) {
	unbias := float32(1)
	if op.Count > 1 {
		unbias = float32(op.Count) / float32(op.Count-1)
	}
	n := in[0].Shape.Count()
	b := newBuild(d, op, in, out)
	each(b, movingUpdate, "", n, func(l *launch) movingArgs {
		return movingArgs{M: l.in[0], V: l.in[1], S: l.in[2], Mean: l.in[3], Var: l.in[4],
			MOut: l.out[0], VOut: l.out[1], SOut: l.out[2], N: uint32(n), Fraction: op.Fraction, Unbias: unbias}
	})
	return b.kernel()
}
