//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() { register(prepareSoftmaxLossEach) }

var softmaxLossEach = declare[lossArgs]("softmax_loss_each", formF32)

func prepareSoftmaxLossEach(d *device, op engine.SoftmaxLossEach, in, out []engine.Desc) (*kernel, error) {
	z, err := viewOf(op, in[0], op.Axis, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	s := b.newLoss(z, op.HasIgnore, op.Ignore, engine.NormNone)
	each(b, softmaxLossEach, formF32, z.outer*z.inner, func(l *launch) lossArgs {
		a := s.args(l.in[1])
		a.Prob, a.Y = l.in[0], l.out[0]
		return a
	})
	return b.kernel()
}
