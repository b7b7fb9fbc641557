//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(prepareSoftmax)
	registerAny(prepareSoftmaxGrad)
	registerAny(prepareSoftmaxLoss)
	registerAny(prepareSoftmaxLossGrad)
}

type softmaxArgs struct {
	DY, X, Y uint64
	Z        row
}

// labels are the labels of a loss; kernels have them as Labels.
type labels struct {
	Label, Flag        uint64
	Classes, HasIgnore uint32
	Ignore             int32
}

type lossArgs struct {
	Prob, Gain, DLoss, Scale, Y uint64
	Labels                      labels
	Z                           row
	Divisor                     float32
}

var (
	softmax         = declare[softmaxArgs]("softmax", rowForms(formF32, formBF16)...)
	softmaxGrad     = declare[softmaxArgs]("softmax_grad", rowForms(formF32, formBF16)...)
	softmaxLoss     = declare[lossArgs]("softmax_loss", formF32, formBF16)
	lossScale       = declare[lossArgs]("loss_scale")
	softmaxLossGrad = declare[lossArgs]("softmax_loss_grad", rowForms(formF32, formBF16)...)
)

func prepareSoftmax(d *device, op engine.Softmax, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], out[0])
	if err != nil {
		return nil, err
	}
	z, err := viewOf(op, in[0], op.Axis, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	b.softmax(z, form, input(0), output(0))
	return b.kernel()
}

func (b *build) softmax(z axes, form string, x, y pointer) {
	rows(b, softmax, form, z, func(l *launch) softmaxArgs { return softmaxArgs{X: x(l), Y: y(l), Z: rowOf(z)} })
}

func prepareSoftmaxGrad(d *device, op engine.SoftmaxGrad, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], in[1], out[0])
	if err != nil {
		return nil, err
	}
	z, err := viewOf(op, in[0], op.Axis, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	rows(b, softmaxGrad, form, z, func(l *launch) softmaxArgs {
		return softmaxArgs{DY: l.in[0], X: l.in[1], Y: l.out[0], Z: rowOf(z)}
	})
	return b.kernel()
}

// loss is what the losses over classes share.
type loss struct {
	z         axes
	hasIgnore bool
	ignore    int
	norm      engine.Normalization
	flag      uint64
}

// newLoss also asks for a flag that speaks of labels.
func (b *build) newLoss(z axes, hasIgnore bool, ignore int, norm engine.Normalization) loss {
	return loss{z, hasIgnore, ignore, norm, b.flag(labelError(z.mid))}
}

// labelError words what a kernel reports of a label.
func labelError(classes int) func(item int, value float32) error {
	return func(item int, value float32) error {
		return &engine.LabelError{Label: value, Item: item, Classes: classes}
	}
}

func (z loss) labels(at uint64) labels {
	return labels{Label: at, Flag: z.flag, Classes: uint32(z.z.mid), HasIgnore: flag(z.hasIgnore), Ignore: int32(z.ignore)}
}

// args are a launch's, but for its own tensors.
func (z loss) args(label uint64) lossArgs {
	return lossArgs{Labels: z.labels(label), Z: rowOf(z.z), Divisor: divisor(z.norm, z.z.outer*z.z.inner, z.z.outer)}
}

// divisor is what a loss is divided by, 0 for what counts, which the kernel knows.
func divisor(n engine.Normalization, full, batch int) float32 {
	switch n {
	case engine.NormFull:
		return float32(full)
	case engine.NormBatchSize:
		return float32(batch)
	case engine.NormNone:
		return 1
	}
	return 0
}

func prepareSoftmaxLoss(d *device, op engine.SoftmaxLoss, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], out[1])
	if err != nil {
		return nil, err
	}
	z, err := lossView(op, in[0], op.Axis, in[1], out[0])
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	prob, total := b.kept(out, 1, z.count()), b.kept(out, 0, 1)
	s := b.newLoss(z, op.HasIgnore, op.Ignore, op.Norm)
	b.softmax(z, form, input(0), prob)
	single(b, softmaxLoss, form, z.outer*z.inner, func(l *launch) lossArgs {
		a := s.args(l.in[1])
		a.Prob, a.Y = prob(l), total(l)
		return a
	})
	return b.kernel()
}

// lossView sees scores whose labels and scalars are plain. Classes that are not
// axis 1 of what is stored with the channels innermost would number the items
// otherwise than the labels.
func lossView(op engine.Op, x engine.Desc, axis int, others ...engine.Desc) (axes, error) {
	if err := plain(op, others...); err != nil {
		return axes{}, err
	}
	if x.Layout != engine.Plain {
		return axes{}, unsupported(op, "scores in a layout of the device's own")
	}
	return viewOf(op, x, axis, 1)
}

func prepareSoftmaxLossGrad(d *device, op engine.SoftmaxLossGrad, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], out[0])
	if err != nil {
		return nil, err
	}
	z, err := lossView(op, in[0], op.Axis, in[1:]...)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	s := b.newLoss(z, op.HasIgnore, op.Ignore, op.Norm)
	b.lossGrad(softmaxLossGrad, form, s, func(l *launch) lossArgs {
		a := s.args(l.in[1])
		a.Prob, a.DLoss, a.Y = l.in[0], l.in[2], l.out[0]
		return a
	})
	return b.kernel()
}

// lossGrad adds the two launches of the gradient of a loss.
func (b *build) lossGrad(p program[lossArgs], form string, s loss, args func(l *launch) lossArgs) {
	scale := b.scratch(4)
	all := func(l *launch) lossArgs {
		a := args(l)
		a.Scale = scale(l)
		return a
	}
	single(b, lossScale, "", s.z.outer*s.z.inner, all)
	rows(b, p, form, s.z, all)
}
