//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() { registerAny(prepareRandomMask) }

// DrawsMasks implements engine.MaskDrawer.
func (d *device) DrawsMasks() {}

type randomMaskArgs struct {
	Seed, Y uint64
	Below   uint64
	N       uint32
	Scale   float32
}

var randomMask = declare[randomMaskArgs]("random_mask", formF32, formBF16)

func prepareRandomMask(d *device, op engine.RandomMask, in, out []engine.Desc) (*kernel, error) {
	if in[0].DType != engine.F32 || out[0].Layout != engine.Plain {
		return nil, unsupported(op, "a seed that is not float32, or a mask in a layout of the device's own")
	}
	below, scale := op.Kept()
	n := out[0].Shape.Count()
	b := newBuild(d, op, in, out)
	each(b, randomMask, formOf(out[0].DType), (n+3)/4, func(l *launch) randomMaskArgs {
		return randomMaskArgs{Seed: l.in[0], Y: l.out[0], Below: below, N: uint32(n), Scale: scale}
	})
	return b.kernel()
}
