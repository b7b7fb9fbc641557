//go:build cgo && linux

package cuda

import (
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
)

func init() { register(prepareNonzero) }

type nonzeroArgs struct {
	X, Y, Flag uint64
	N, Limit   uint32
}

var nonzero = declare[nonzeroArgs]("nonzero")

func prepareNonzero(d *device, op engine.Nonzero, in, out []engine.Desc) (*kernel, error) {
	n := in[0].Shape.Count()
	b := newBuild(d, op, in, out)
	at := b.flag(func(found int, _ float32) error {
		return fmt.Errorf("%d entries are not 0, the net is shaped for %d", found, op.Count)
	})
	single(b, nonzero, "", n, func(l *launch) nonzeroArgs {
		return nonzeroArgs{X: l.in[0], Y: l.out[0], Flag: at, N: uint32(n), Limit: uint32(op.Count)}
	})
	return b.kernel()
}
