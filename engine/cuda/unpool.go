//go:build cgo && linux

package cuda

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareUnpool)
	register(prepareUnpoolGrad)
}

type unpoolArgs struct {
	X, Mask, Winner, Y, Flag uint64
	From, To                 div
	N                        uint32
}

var (
	unpoolChoose = declare[unpoolArgs]("unpool_choose")
	unpool       = declare[unpoolArgs]("unpool")
	unpoolGrad   = declare[unpoolArgs]("unpool_grad")
)

// prepareUnpool first finds which element stays at each place.
func prepareUnpool(d *device, op engine.Unpool, in, out []engine.Desc) (*kernel, error) {
	x, n := in[0].Shape, out[0].Shape.Count()
	b := newBuild(d, op, in, out)
	winner, at := b.scratch(4*n), b.flag(indexError(op.H*op.W))
	args := func(n int) func(l *launch) unpoolArgs {
		return func(l *launch) unpoolArgs {
			return unpoolArgs{X: l.in[0], Mask: l.in[1], Winner: winner(l), Y: l.out[0], Flag: at,
				From: divOf(x[2] * x[3]), To: divOf(op.H * op.W), N: uint32(n)}
		}
	}
	b.set(winner, n, math.MaxUint32) // −1
	each(b, unpoolChoose, "", x.Count(), args(x.Count()))
	each(b, unpool, "", n, args(n))
	return b.kernel()
}

func prepareUnpoolGrad(d *device, op engine.UnpoolGrad, in, out []engine.Desc) (*kernel, error) {
	dy, mask, n := in[0].Shape, in[1].Shape, out[0].Shape.Count()
	area := dy[2] * dy[3]
	b := newBuild(d, op, in, out)
	at := b.flag(indexError(area))
	each(b, unpoolGrad, "", n, func(l *launch) unpoolArgs {
		return unpoolArgs{X: l.in[0], Mask: l.in[1], Y: l.out[0], Flag: at, From: divOf(mask[2] * mask[3]), To: divOf(area), N: uint32(n)}
	})
	return b.kernel()
}
