//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(prepareLRN)
	registerAny(prepareLRNGrad)
}

type lrnArgs struct {
	DY, X, Y, DX    uint64
	Inner, Channels div
	N               uint32
	Size            int32
	Alpha, Beta, K  float32
}

var (
	lrn     = declare[lrnArgs]("lrn", formF32, formBF16)
	lrnGrad = declare[lrnArgs]("lrn_grad", formF32, formBF16)
)

// newLRN is a launch but for its tensors.
func newLRN(op engine.LRN, z axes) lrnArgs {
	return lrnArgs{Inner: divOf(z.inner), Channels: divOf(z.mid), N: uint32(z.count()), Size: int32(op.Size),
		Alpha: op.Alpha / float32(op.Size), Beta: op.Beta, K: op.K}
}

func prepareLRN(d *device, op engine.LRN, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], out[0])
	if err != nil {
		return nil, err
	}
	z, err := viewOf(op, in[0], 1, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	each(b, lrn, form, z.count(), func(l *launch) lrnArgs {
		a := newLRN(op, z)
		a.X, a.Y = l.in[0], l.out[0]
		return a
	})
	return b.kernel()
}

func prepareLRNGrad(d *device, op engine.LRNGrad, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, append(append([]engine.Desc{}, in...), out[0])...)
	if err != nil {
		return nil, err
	}
	z, err := viewOf(op, in[1], 1, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	each(b, lrnGrad, form, z.count(), func(l *launch) lrnArgs {
		a := newLRN(engine.LRN(op), z)
		a.DY, a.X, a.DX = l.in[0], l.in[1], l.out[0]
		return a
	})
	return b.kernel()
}
