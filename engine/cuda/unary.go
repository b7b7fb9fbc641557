//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(prepareUnary)
	registerAny(prepareUnaryGrad)
}

type unaryArgs struct {
	X, R, Y     uint64
	N, Fn       uint32
	A, B, C     float32
	ReadsOutput uint32
}

var (
	relu      = declare[unaryArgs]("relu", formF32, formBF16)
	reluGrad  = declare[unaryArgs]("relu_grad", formF32, formBF16)
	unary     = declare[unaryArgs]("unary", formF32, formBF16)
	unaryGrad = declare[unaryArgs]("unary_grad", formF32, formBF16)
)

func prepareUnary(d *device, op engine.Unary, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], out[0])
	if err != nil {
		return nil, err
	}
	if op.Fn > engine.Threshold {
		return nil, unsupported(op, "no such function")
	}
	n := in[0].Shape.Count()
	b := newBuild(d, op, in, out)
	args := func(l *launch) unaryArgs {
		return unaryArgs{X: l.in[0], Y: l.out[0], N: uint32(n), Fn: uint32(op.Fn), A: op.A, B: op.B, C: op.C}
	}
	if op.Fn == engine.ReLU {
		packs(b, relu, form, n, args)
	} else {
		each(b, unary, form, n, args)
	}
	return b.kernel()
}

func prepareUnaryGrad(d *device, op engine.UnaryGrad, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], in[1], out[0])
	if err != nil {
		return nil, err
	}
	if op.Fn >= engine.Threshold {
		return nil, unsupported(op, op.Fn.String()+" has no gradient")
	}
	n := in[0].Shape.Count()
	b := newBuild(d, op, in, out)
	args := func(l *launch) unaryArgs {
		return unaryArgs{X: l.in[0], R: l.in[1], Y: l.out[0], N: uint32(n), Fn: uint32(op.Fn), A: op.A, B: op.B, C: op.C,
			ReadsOutput: flag(op.Forward().GradReadsOutput())}
	}
	if op.Fn == engine.ReLU {
		packs(b, reluGrad, form, n, args)
	} else {
		each(b, unaryGrad, form, n, args)
	}
	return b.kernel()
}
