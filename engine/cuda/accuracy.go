//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(prepareAccuracy)
	register(prepareArgMax)
}

type accuracyArgs struct {
	X, Counts, Y, PerClass uint64
	Labels                 labels
	Z                      row
	Top                    uint32
}

type argMaxArgs struct {
	X, Y                 uint64
	Z                    row
	Top, HasAxis, Values uint32
}

var (
	accuracyCount = declare[accuracyArgs]("accuracy_count", rowForms(formF32, formBF16)...)
	accuracyShare = declare[accuracyArgs]("accuracy_share")
	argMax        = declare[argMaxArgs]("argmax", rowForms(formF32)...)
)

func prepareAccuracy(d *device, op engine.Accuracy, in, out []engine.Desc) (*kernel, error) {
	z, err := lossView(op, in[0], op.Axis, in[1])
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	counts := b.scratch(8 * z.mid)
	s := b.newLoss(z, op.HasIgnore, op.Ignore, engine.NormNone)
	args := func(l *launch) accuracyArgs {
		return accuracyArgs{X: l.in[0], Counts: counts(l), Y: l.out[0], PerClass: l.out[1],
			Labels: s.labels(l.in[1]), Z: rowOf(z), Top: uint32(op.TopK)}
	}
	b.set(counts, 2*z.mid, 0)
	rows(b, accuracyCount, formOf(in[0].DType), z, args)
	single(b, accuracyShare, "", z.mid, args)
	return b.kernel()
}

func prepareArgMax(d *device, op engine.ArgMax, in, out []engine.Desc) (*kernel, error) {
	axis, n := 1, len(in[0].Shape)-1
	if op.HasAxis {
		axis, n = op.Axis, 1
	}
	z, err := viewOf(op, in[0], axis, n)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	rows(b, argMax, formF32, z, func(l *launch) argMaxArgs {
		return argMaxArgs{X: l.in[0], Y: l.out[0], Z: rowOf(z), Top: uint32(op.TopK), HasAxis: flag(op.HasAxis), Values: flag(op.Values)}
	})
	return b.kernel()
}
