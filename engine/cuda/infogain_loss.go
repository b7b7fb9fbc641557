//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareInfogainLoss)
	register(prepareInfogainLossGrad)
}

var (
	infogainLoss     = declare[lossArgs]("infogain_loss", formF32)
	infogainLossGrad = declare[lossArgs]("infogain_loss_grad", rowForms(formF32)...)
)

func prepareInfogainLoss(d *device, op engine.InfogainLoss, in, out []engine.Desc) (*kernel, error) {
	z, err := viewOf(op, in[0], op.Axis, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	prob, total := b.kept(out, 1, z.count()), b.kept(out, 0, 1)
	s := b.newLoss(z, op.HasIgnore, op.Ignore, op.Norm)
	b.softmax(z, formF32, input(0), prob)
	single(b, infogainLoss, formF32, z.outer*z.inner, func(l *launch) lossArgs {
		a := s.args(l.in[1])
		a.Prob, a.Gain, a.Y = prob(l), l.in[2], total(l)
		return a
	})
	return b.kernel()
}

func prepareInfogainLossGrad(d *device, op engine.InfogainLossGrad, in, out []engine.Desc) (*kernel, error) {
	z, err := viewOf(op, in[0], op.Axis, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	s := b.newLoss(z, op.HasIgnore, op.Ignore, op.Norm)
	b.lossGrad(infogainLossGrad, formF32, s, func(l *launch) lossArgs {
		a := s.args(l.in[1])
		a.Prob, a.Gain, a.DLoss, a.Y = l.in[0], l.in[2], l.in[3], l.out[0]
		return a
	})
	return b.kernel()
}
