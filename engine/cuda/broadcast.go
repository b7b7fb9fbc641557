//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(prepareBroadcast)
	registerAny(prepareBroadcastGrad)
}

// channelArgs are those of elementwise kernels with a value a channel.
type channelArgs struct {
	DY, X, S, T, Y  uint64
	Inner, Channels div
	N               uint32
	Eps             float32
}

func channelArgsOf(z axes) channelArgs {
	return channelArgs{Inner: divOf(z.inner), Channels: divOf(z.mid), N: uint32(z.count())}
}

var (
	broadcastMul = declare[channelArgs]("broadcast_mul", formF32, formBF16)
	broadcastAdd = declare[channelArgs]("broadcast_add", formF32, formBF16)
)

func prepareBroadcast(d *device, op engine.Broadcast, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], out[0])
	if err != nil {
		return nil, err
	}
	if err := plain(op, in[1]); err != nil {
		return nil, err
	}
	z, err := viewOf(op, in[0], op.Axis, len(in[1].Shape))
	if err != nil {
		return nil, err
	}
	p := broadcastMul
	if op.Fn == engine.BroadcastAdd {
		p = broadcastAdd
	}
	b := newBuild(d, op, in, out)
	packs(b, p, form, z.count(), func(l *launch) channelArgs {
		a := channelArgsOf(z)
		a.X, a.S, a.Y = l.in[0], l.in[1], l.out[0]
		return a
	})
	return b.kernel()
}

func prepareBroadcastGrad(d *device, op engine.BroadcastGrad, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in...)
	if err != nil {
		return nil, err
	}
	if err := plain(op, out[0]); err != nil {
		return nil, err
	}
	z, err := viewOf(op, in[0], op.Axis, op.Rank)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	f := folding{fn: foldSum, coeff: 1, a: input(0), y: output(0)}
	if op.Fn == engine.BroadcastMul {
		f.fn, f.b = foldDot, input(1)
	}
	b.fold(z, form, f)
	return b.kernel()
}
