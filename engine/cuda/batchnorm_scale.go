//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(prepareBatchNormScale)
	registerAny(prepareBatchNormScaleGrad)
}

type batchNormScaleArgs struct {
	X, Mean, Var, Scale, Bias, Add, Y uint64
	Inner, Channels                   div
	N, ReLU                           uint32
	Eps, Slope                        float32
}

type batchNormGradArgs struct {
	DY, X, Mean, Var, Sums, Scale, Act, Y uint64
	Inner, Channels                       div
	N                                     uint32
	Eps, Share, Slope                     float32
}

var (
	batchNormScale = declare[batchNormScaleArgs]("batchnorm_scale", formF32, formBF16)
	batchNormGrad  = declare[batchNormGradArgs]("batchnorm_grad", formF32, formBF16)
)

func prepareBatchNormScale(d *device, op engine.BatchNormScale, in, out []engine.Desc) (*kernel, error) {
	e, extra := op.Epilogue, 2
	like, channels := []engine.Desc{out[0]}, append([]engine.Desc{in[1]}, out[1:]...)
	var bias, addend pointer
	if e.Bias {
		bias, channels = input(extra), append(channels, in[extra])
		extra++
	}
	if e.Add {
		addend, like = input(extra), append(like, in[extra])
	}
	form, z, err := normView(op, in[0], like, channels)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	mean, variance := b.statistics(z, form, out)
	if out[0].DType == engine.None {
		return b.kernel()
	}
	packs(b, batchNormScale, form, z.count(), func(l *launch) batchNormScaleArgs {
		return batchNormScaleArgs{X: l.in[0], Mean: mean(l), Var: variance(l), Scale: l.in[1], Bias: bias.at(l), Add: addend.at(l), Y: l.out[0],
			Inner: divOf(z.inner), Channels: divOf(z.mid), N: uint32(z.count()), ReLU: flag(e.Act == engine.ActReLU), Eps: op.Eps, Slope: e.Slope}
	})
	return b.kernel()
}

func prepareBatchNormScaleGrad(d *device, op engine.BatchNormScaleGrad, in, out []engine.Desc) (*kernel, error) {
	like, channels := []engine.Desc{in[0], out[0]}, append(append([]engine.Desc{}, in[2:5]...), out[1:]...)
	var act pointer
	if op.Act != engine.ActNone {
		act, like = input(5), append(like, in[5])
	}
	form, z, err := normView(op, in[1], like, channels)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	sums := b.batchNormGrad(z, form, op.Eps, op.Slope, input(4), act, out[0].DType != engine.None)
	for i, at := range []int{z.mid, 0} { // the sums of d times y are dscale, those of d dshift
		if out[1+i].DType != engine.None {
			b.copyRows(engine.F32, 1, z.mid, sums, z.mid, at, output(1+i), z.mid, 0)
		}
	}
	return b.kernel()
}

// batchNormGrad adds the launches of the gradient for dy, x, mean and variance, the
// inputs 0 to 3; dx is output 0, if it is read. It gives the sums over the channels of
// dy, behind the activation, and of that times the normalised x. scale and act may be
// nil.
func (b *build) batchNormGrad(z axes, form string, eps, slope float32, scale, act pointer, read bool) pointer {
	sums := b.scratch(8 * z.mid)
	b.fold(z, form, folding{fn: foldBatchNormDot, coeff: 1, eps: eps, slope: slope,
		a: input(0), b: input(1), mean: input(2), variance: input(3), act: act, y: sums})
	if read {
		packs(b, batchNormGrad, form, z.count(), func(l *launch) batchNormGradArgs {
			return batchNormGradArgs{DY: l.in[0], X: l.in[1], Mean: l.in[2], Var: l.in[3], Sums: sums(l), Scale: scale.at(l), Act: act.at(l), Y: l.out[0],
				Inner: divOf(z.inner), Channels: divOf(z.mid), N: uint32(z.count()), Eps: eps, Share: 1 / float32(z.outer*z.inner), Slope: slope}
		})
	}
	return sums
}
