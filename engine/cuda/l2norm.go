//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareL2Norm)
	register(prepareL2NormGrad)
}

type l2NormArgs struct {
	DY, X, Norm, Y uint64
	Z              row
	Eps            float32
}

var (
	l2Norm     = declare[l2NormArgs]("l2norm", rowForms(formF32)...)
	l2NormGrad = declare[l2NormArgs]("l2norm_grad", rowForms(formF32)...)
)

// l2View sees x with what the norm is taken along in the middle.
func l2View(x engine.Shape, spatial bool) axes {
	if spatial {
		return axes{x[0], x[1:].Count(), 1}
	}
	return axes{x[0], x[1], x[2:].Count()}
}

func prepareL2Norm(d *device, op engine.L2Norm, in, out []engine.Desc) (*kernel, error) {
	z := l2View(in[0].Shape, op.Spatial)
	b := newBuild(d, op, in, out)
	rows(b, l2Norm, formF32, z, func(l *launch) l2NormArgs {
		return l2NormArgs{X: l.in[0], Y: l.out[0], Norm: l.out[1], Z: rowOf(z), Eps: op.Eps}
	})
	return b.kernel()
}

func prepareL2NormGrad(d *device, op engine.L2NormGrad, in, out []engine.Desc) (*kernel, error) {
	z := l2View(in[1].Shape, op.Spatial)
	b := newBuild(d, op, in, out)
	rows(b, l2NormGrad, formF32, z, func(l *launch) l2NormArgs {
		return l2NormArgs{DY: l.in[0], X: l.in[1], Norm: l.in[2], Y: l.out[0], Z: rowOf(z), Eps: op.Eps}
	})
	return b.kernel()
}
