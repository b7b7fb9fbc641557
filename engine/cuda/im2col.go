//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareIm2col)
	register(prepareCol2im)
}

type columnArgs struct {
	X, Y                    uint64
	Taps, InPlane, OutPlane div
	In, Out, Kernel, Stride [spatialAxes]div
	Pad, Dilation           [spatialAxes]int32
	N                       uint32
}

var (
	im2col = declare[columnArgs]("im2col")
	col2im = declare[columnArgs]("col2im")
)

// newColumns is the geometry of the windows of planes.
func newColumns(op engine.Im2col, planes, columns []int) (columnArgs, error) {
	kernel := op.Kernel.List()
	if len(kernel) > spatialAxes {
		return columnArgs{}, unsupported(op, "windows of 1 to 3 axes only")
	}
	return columnArgs{
		Taps: divOf(engine.Shape(kernel).Count()), InPlane: divOf(engine.Shape(planes).Count()), OutPlane: divOf(engine.Shape(columns).Count()),
		In: divs(spatial(planes, 1)), Out: divs(spatial(columns, 1)), Kernel: divs(spatial(kernel, 1)),
		Stride: divs(spatial(op.Stride.List(), 1)), Pad: int32s(spatial(op.Pad.List(), 0)), Dilation: int32s(spatial(op.Dilation.List(), 1)),
	}, nil
}

func prepareIm2col(d *device, op engine.Im2col, in, out []engine.Desc) (*kernel, error) {
	a, err := newColumns(op, in[0].Shape[2:], out[0].Shape[2:])
	if err != nil {
		return nil, err
	}
	return prepareColumns(d, op, im2col, a, in, out)
}

func prepareCol2im(d *device, op engine.Col2im, in, out []engine.Desc) (*kernel, error) {
	a, err := newColumns(op.Forward(), out[0].Shape[2:], in[0].Shape[2:])
	if err != nil {
		return nil, err
	}
	return prepareColumns(d, op, col2im, a, in, out)
}

func prepareColumns(d *device, op engine.Op, p program[columnArgs], a columnArgs, in, out []engine.Desc) (*kernel, error) {
	a.N = uint32(out[0].Shape.Count())
	b := newBuild(d, op, in, out)
	each(b, p, "", int(a.N), func(l *launch) columnArgs {
		a := a
		a.X, a.Y = l.in[0], l.out[0]
		return a
	})
	return b.kernel()
}
