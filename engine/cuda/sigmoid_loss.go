//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareSigmoidLoss)
	register(prepareSigmoidLossGrad)
}

type sigmoidLossArgs struct {
	X, Target, DLoss, Scale, Y uint64
	N, HasIgnore               uint32
	Ignore                     int32
	Divisor                    float32
}

var (
	sigmoidLoss      = declare[sigmoidLossArgs]("sigmoid_loss", formF32)
	sigmoidLossScale = declare[sigmoidLossArgs]("sigmoid_loss_scale")
	sigmoidLossGrad  = declare[sigmoidLossArgs]("sigmoid_loss_grad", formF32)
)

func sigmoidLossOf(op engine.SigmoidLoss, x engine.Shape) sigmoidLossArgs {
	n, batch := x.Count(), 1
	if len(x) > 0 {
		batch = x[0]
	}
	return sigmoidLossArgs{N: uint32(n), HasIgnore: flag(op.HasIgnore), Ignore: int32(op.Ignore), Divisor: divisor(op.Norm, n, batch)}
}

func prepareSigmoidLoss(d *device, op engine.SigmoidLoss, in, out []engine.Desc) (*kernel, error) {
	a := sigmoidLossOf(op, in[0].Shape)
	b := newBuild(d, op, in, out)
	single(b, sigmoidLoss, formF32, int(a.N), func(l *launch) sigmoidLossArgs {
		a := a
		a.X, a.Target, a.Y = l.in[0], l.in[1], l.out[0]
		return a
	})
	return b.kernel()
}

func prepareSigmoidLossGrad(d *device, op engine.SigmoidLossGrad, in, out []engine.Desc) (*kernel, error) {
	a := sigmoidLossOf(engine.SigmoidLoss(op), in[0].Shape)
	b := newBuild(d, op, in, out)
	scale := b.scratch(4)
	args := func(l *launch) sigmoidLossArgs {
		a := a
		a.X, a.Target, a.DLoss, a.Scale, a.Y = l.in[0], l.in[1], l.in[2], scale(l), l.out[0]
		return a
	}
	single(b, sigmoidLossScale, "", int(a.N), args)
	each(b, sigmoidLossGrad, formF32, int(a.N), args)
	return b.kernel()
}
