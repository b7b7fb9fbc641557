//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(preparePSROIPool)
	register(preparePSROIPoolGrad)
}

var (
	psroiPool     = declare[regionArgs]("psroi_pool")
	psroiPoolGrad = declare[regionArgs]("psroi_pool_grad")
)

func preparePSROIPool(d *device, op engine.PSROIPool, in, out []engine.Desc) (*kernel, error) {
	return prepareBins(d, op, psroiPool, op, in[0].Shape, in, out)
}

func preparePSROIPoolGrad(d *device, op engine.PSROIPoolGrad, in, out []engine.Desc) (*kernel, error) {
	return prepareBins(d, op, psroiPoolGrad, op.Forward(), out[0].Shape, in, out)
}

// prepareBins pools regions of planes of x, or spreads a gradient over them.
func prepareBins(d *device, op engine.Op, p program[regionArgs], f engine.PSROIPool, x engine.Shape, in, out []engine.Desc) (*kernel, error) {
	a := newRegions(x, in[1].Shape, f.Outputs, f.Group, f.Group, f.Scale)
	a.N = uint32(out[0].Shape.Count())
	b := newBuild(d, op, in, out)
	a.Flag = b.flag(indexError(x[0]))
	each(b, p, "", int(a.N), func(l *launch) regionArgs {
		a := a
		a.X, a.ROIs, a.Y = l.in[0], l.in[1], l.out[0]
		return a
	})
	return b.kernel()
}
