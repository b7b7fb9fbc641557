//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareInterp)
	register(prepareInterpGrad)
}

type interpArgs struct {
	X, Y                 uint64
	InH, InW, OutH, OutW div
	N                    uint32
	RatioH, RatioW       float32
}

var (
	interp     = declare[interpArgs]("interp")
	interpGrad = declare[interpArgs]("interp_grad")
)

// newInterp is the geometry of an interpolation of planes of in to planes of out.
func newInterp(in, out engine.Shape) interpArgs {
	return interpArgs{InH: divOf(in[2]), InW: divOf(in[3]), OutH: divOf(out[2]), OutW: divOf(out[3]),
		RatioH: ratio(in[2], out[2]), RatioW: ratio(in[3], out[3])}
}

// ratio is how far apart in the input two outputs are.
func ratio(in, out int) float32 {
	if out == 1 {
		return 0
	}
	return float32(in-1) / float32(out-1)
}

func prepareInterp(d *device, op engine.Interp, in, out []engine.Desc) (*kernel, error) {
	return prepareInterpolation(d, op, interp, newInterp(in[0].Shape, out[0].Shape), in, out)
}

func prepareInterpGrad(d *device, op engine.InterpGrad, in, out []engine.Desc) (*kernel, error) {
	return prepareInterpolation(d, op, interpGrad, newInterp(out[0].Shape, in[0].Shape), in, out)
}

func prepareInterpolation(d *device, op engine.Op, p program[interpArgs], a interpArgs, in, out []engine.Desc) (*kernel, error) {
	a.N = uint32(out[0].Shape.Count())
	b := newBuild(d, op, in, out)
	each(b, p, "", int(a.N), func(l *launch) interpArgs {
		a := a
		a.X, a.Y = l.in[0], l.out[0]
		return a
	})
	return b.kernel()
}
