//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(preparePReLU)
	registerAny(preparePReLUGrad)
}

var (
	prelu     = declare[channelArgs]("prelu", formF32, formBF16)
	preluGrad = declare[channelArgs]("prelu_grad", formF32, formBF16)
)

// slopeView sees x with the axis that slopes go along in the middle.
func slopeView(op engine.Op, x, slope engine.Desc) (axes, error) {
	if slope.Shape.Count() == 1 {
		return axes{1, 1, x.Shape.Count()}, nil
	}
	return viewOf(op, x, 1, 1)
}

func preparePReLU(d *device, op engine.PReLU, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], out[0])
	if err != nil {
		return nil, err
	}
	if err := plain(op, in[1]); err != nil {
		return nil, err
	}
	z, err := slopeView(op, in[0], in[1])
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	packs(b, prelu, form, z.count(), func(l *launch) channelArgs {
		a := channelArgsOf(z)
		a.X, a.S, a.Y = l.in[0], l.in[1], l.out[0]
		return a
	})
	return b.kernel()
}

func preparePReLUGrad(d *device, op engine.PReLUGrad, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], in[1], out[0])
	if err != nil {
		return nil, err
	}
	if err := plain(op, in[2], out[1]); err != nil {
		return nil, err
	}
	z, err := slopeView(op, in[1], in[2])
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	if out[0].DType != engine.None {
		packs(b, preluGrad, form, z.count(), func(l *launch) channelArgs {
			a := channelArgsOf(z)
			a.DY, a.X, a.S, a.Y = l.in[0], l.in[1], l.in[2], l.out[0]
			return a
		})
	}
	if out[1].DType != engine.None {
		b.fold(z, form, folding{fn: foldPReLUDot, coeff: 1, a: input(0), b: input(1), y: output(1)})
	}
	return b.kernel()
}
