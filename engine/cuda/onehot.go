//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() { register(prepareOneHot) }

type oneHotArgs struct {
	Y       uint64
	Labels  labels
	Classes div
	N       uint32
	On, Off float32
}

var oneHot = declare[oneHotArgs]("onehot")

func prepareOneHot(d *device, op engine.OneHot, in, out []engine.Desc) (*kernel, error) {
	n := out[0].Shape.Count()
	b := newBuild(d, op, in, out)
	at := b.flag(labelError(op.Classes))
	each(b, oneHot, "", n, func(l *launch) oneHotArgs {
		return oneHotArgs{Y: l.out[0], Labels: labels{Label: l.in[0], Flag: at, Classes: uint32(op.Classes)},
			Classes: divOf(op.Classes), N: uint32(n), On: op.On, Off: op.Off}
	})
	return b.kernel()
}
