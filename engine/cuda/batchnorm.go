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

var normalize = declare[channelArgs]("normalize", formF32, formBF16)

// normalizeBy adds the launch of (x − mean)/√(variance + eps).
func (b *build) normalizeBy(z axes, form string, eps float32, x, mean, variance, y pointer) {
	packs(b, normalize, form, z.count(), func(l *launch) channelArgs {
		a := channelArgsOf(z)
		a.X, a.S, a.T, a.Y, a.Eps = x(l), mean.at(l), variance(l), y(l), eps
		return a
	})
}

func prepareBatchNorm(d *device, op engine.BatchNorm, in, out []engine.Desc) (*kernel, error) {
	form, z, err := normView(op, in[0], []engine.Desc{out[0]}, out[1:])
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	mean, variance := b.statistics(z, form, out)
	if out[0].DType != engine.None {
		b.normalizeBy(z, form, op.Eps, input(0), mean, variance, output(0))
	}
	return b.kernel()
}

// normView sees x, which other tensors must be like, channel by channel; what has a
// value a channel is plain.
func normView(op engine.Op, x engine.Desc, like, channels []engine.Desc) (form string, z axes, err error) {
	if form, err = alike(op, append([]engine.Desc{x}, like...)...); err != nil {
		return "", z, err
	}
	if err = plain(op, channels...); err != nil {
		return "", z, err
	}
	z, err = viewOf(op, x, 1, 1)
	return form, z, err
}

// statistics adds the launches that find the mean and the variance of input 0, which
// are outputs 1 and 2.
func (b *build) statistics(z axes, form string, out []engine.Desc) (mean, variance pointer) {
	mean, variance = b.kept(out, 1, z.mid), b.kept(out, 2, z.mid)
	share := 1 / float32(z.outer*z.inner)
	b.fold(z, form, folding{fn: foldSum, coeff: share, a: input(0), y: mean})
	b.fold(z, form, folding{fn: foldVariance, coeff: share, a: input(0), mean: mean, y: variance})
	return mean, variance
}

func prepareBatchNormGrad(d *device, op engine.BatchNormGrad, in, out []engine.Desc) (*kernel, error) {
	form, z, err := normView(op, in[1], []engine.Desc{in[0], out[0]}, in[2:])
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	b.batchNormGrad(z, form, op.Eps, 0, nil, nil, true)
	return b.kernel()
}

func prepareNormalize(d *device, op engine.Normalize, in, out []engine.Desc) (*kernel, error) {
	return prepareScaled(d, op, op.Eps, in, out, input(1), input(2))
}

func prepareNormalizeGrad(d *device, op engine.NormalizeGrad, in, out []engine.Desc) (*kernel, error) {
	return prepareScaled(d, op, op.Eps, in, out, nil, input(1))
}

func prepareScaled(d *device, op engine.Op, eps float32, in, out []engine.Desc, mean, variance pointer) (*kernel, error) {
	form, z, err := normView(op, in[0], out, in[1:])
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
