//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() { registerAny(preparePixels) }

// TakesPixels implements engine.PixelTaker.
func (d *device) TakesPixels() {}

type pixelsArgs struct {
	Bytes, Windows, Mean, Y uint64
	Outer, Mid, Inner       div
	N, Last                 uint32
	Channels, Height, Width uint32
	MeanPlane, MeanWidth    uint32
	Scale                   float32
}

var pixels = declare[pixelsArgs]("pixels", formF32, formBF16)

func preparePixels(d *device, op engine.Pixels, in, out []engine.Desc) (*kernel, error) {
	if err := plain(op, in...); err != nil {
		return nil, err
	}
	y, mean := out[0], in[2].Shape
	c, h, w := y.Shape[1], y.Shape[2], y.Shape[3]
	a := pixelsArgs{
		Outer: divOf(c), Mid: divOf(h), Inner: divOf(w), N: uint32(y.Shape.Count()), Last: flag(y.Layout == nhwc),
		Channels: uint32(c), Height: uint32(h), Width: uint32(w), MeanPlane: 1, Scale: op.Scale,
	}
	if y.Layout == nhwc {
		a.Outer, a.Mid, a.Inner = divOf(h), divOf(w), divOf(c)
	}
	if len(mean) == 3 {
		a.MeanPlane, a.MeanWidth = uint32(mean[1]*mean[2]), uint32(mean[2])
	}
	b := newBuild(d, op, in, out)
	each(b, pixels, formOf(y.DType), y.Shape.Count(), func(l *launch) pixelsArgs {
		a := a
		a.Bytes, a.Windows, a.Mean, a.Y = l.in[0], l.in[1], l.in[2], l.out[0]
		return a
	})
	return b.kernel()
}
