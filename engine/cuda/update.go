//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() { registerAny(prepareUpdate) }

type updateArgs struct {
	W, G, H, H2, Hyper               uint64
	N, Rule                          uint32
	Rate, Decay, Momentum, Momentum2 float32
	RMSDecay, Delta                  float32
	L1, KeepStep                     uint32
}

var update = declare[updateArgs]("update", formF32, formBF16)

// prepareUpdate wants weights and histories in float32; the gradient may be
// bfloat16. All but hyper lie alike, in any layout without padding.
func prepareUpdate(d *device, op engine.Update, in, out []engine.Desc) (*kernel, error) {
	two := op.Rule.Histories() == 2
	if op.Rule > engine.Adam {
		return nil, unsupported(op, "no such rule")
	}
	for i, t := range append(append([]engine.Desc{}, in...), out...) {
		if i != 1 && t.DType == engine.BF16 {
			return nil, unsupported(op, "weights or histories in bfloat16")
		}
		if i != len(in)-1 && t.DType != engine.None && t.Layout != in[0].Layout {
			return nil, unsupported(op, "tensors of several layouts")
		}
	}
	n := in[0].Shape.Count()
	b := newBuild(d, op, in, out)
	each(b, update, formOf(in[1].DType), n, func(l *launch) updateArgs {
		a := updateArgs{W: l.in[0], G: l.in[1], H: l.in[2], Hyper: l.in[len(l.in)-1], N: uint32(n), Rule: uint32(op.Rule),
			Rate: op.Rate, Decay: op.Decay, Momentum: op.Momentum, Momentum2: op.Momentum2, RMSDecay: op.RMSDecay, Delta: op.Delta,
			L1: flag(op.L1), KeepStep: flag(op.KeepStep)}
		if two {
			a.H2 = l.in[3]
		}
		return a
	})
	return b.kernel()
}
