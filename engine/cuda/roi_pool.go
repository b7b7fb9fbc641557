//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareROIPool)
	register(prepareROIPoolGrad)
}

// regionArgs are those of all kernels that pool regions.
type regionArgs struct {
	X, ROIs, Index, Y, Flag               uint64
	H, W, Rows, Columns, Channels, Planes div
	N, Regions, Items                     uint32
	Scale                                 float32
}

var (
	roiPool     = declare[regionArgs]("roi_pool")
	roiPoolGrad = declare[regionArgs]("roi_pool_grad")
)

// newRegions is a launch over x, of which the regions are bins planes of rows ×
// columns.
func newRegions(x, rois engine.Shape, channels, rows, columns int, scale float32) regionArgs {
	return regionArgs{H: divOf(x[2]), W: divOf(x[3]), Rows: divOf(rows), Columns: divOf(columns), Channels: divOf(channels),
		Planes: divOf(x[1]), Regions: uint32(rois.Count() / 5), Items: uint32(x[0]), Scale: scale}
}

func prepareROIPool(d *device, op engine.ROIPool, in, out []engine.Desc) (*kernel, error) {
	x := in[0].Shape
	a := newRegions(x, in[1].Shape, x[1], op.H, op.W, op.Scale)
	a.N = uint32(out[0].Shape.Count())
	b := newBuild(d, op, in, out)
	a.Flag = b.flag(indexError(x[0]))
	each(b, roiPool, "", int(a.N), func(l *launch) regionArgs {
		a := a
		a.X, a.ROIs, a.Y, a.Index = l.in[0], l.in[1], l.out[0], l.out[1]
		return a
	})
	return b.kernel()
}

func prepareROIPoolGrad(d *device, op engine.ROIPoolGrad, in, out []engine.Desc) (*kernel, error) {
	dy, dx := in[0].Shape, out[0].Shape
	planes := dx[0] * dx[1]
	a := newRegions(dx, in[1].Shape, dy[1], dy[2], dy[3], 0)
	a.N = uint32(planes)
	b := newBuild(d, op, in, out)
	a.Flag = b.flag(indexError(op.N))
	b.set(output(0), dx.Count(), 0)
	const warp = 32 // few threads, each with much to do: they spread over the GPU
	add(b, roiPoolGrad, "", b.d.blocksFor(planes, warp), warp, func(l *launch) regionArgs {
		a := a
		a.X, a.ROIs, a.Index, a.Y = l.in[0], l.in[1], l.in[2], l.out[0]
		return a
	})
	return b.kernel()
}
