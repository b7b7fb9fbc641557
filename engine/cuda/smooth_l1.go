//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareSmoothL1)
	register(prepareSmoothL1Grad)
}

type smoothL1Args struct {
	DY, X, Y uint64
	N        uint32
	Square   float32
}

var (
	smoothL1     = declare[smoothL1Args]("smooth_l1", formF32)
	smoothL1Grad = declare[smoothL1Args]("smooth_l1_grad", formF32)
)

func prepareSmoothL1(d *device, op engine.SmoothL1, in, out []engine.Desc) (*kernel, error) {
	n := in[0].Shape.Count()
	b := newBuild(d, op, in, out)
	packs(b, smoothL1, formF32, n, func(l *launch) smoothL1Args {
		return smoothL1Args{X: l.in[0], Y: l.out[0], N: uint32(n), Square: op.Sigma * op.Sigma}
	})
	return b.kernel()
}

func prepareSmoothL1Grad(d *device, op engine.SmoothL1Grad, in, out []engine.Desc) (*kernel, error) {
	n := in[0].Shape.Count()
	b := newBuild(d, op, in, out)
	packs(b, smoothL1Grad, formF32, n, func(l *launch) smoothL1Args {
		return smoothL1Args{DY: l.in[0], X: l.in[1], Y: l.out[0], N: uint32(n), Square: op.Sigma * op.Sigma}
	})
	return b.kernel()
}
