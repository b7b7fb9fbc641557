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

// segments is how many params one launch updates: as many as fit into the 4096 bytes
// that every driver takes as a kernel's arguments.
const segments = 80

// updateChunk is how many weights a block takes at once.
const updateChunk = 4096

// segment is one param: its n weights are chunks First … of the launch.
type segment struct {
	W, G, H, H2 uint64
	N, First    uint32
	Rate, Decay float32
}

type updateAllArgs struct {
	Hyper                                uint64
	Count, Chunks, Rule, L1, KeepStep    uint32
	Momentum, Momentum2, RMSDecay, Delta float32
	_                                    uint32
	Segments                             [segments]segment
}

var updateAll = declare[updateAllArgs]("update_all")

func init() { registerAny(prepareUpdateAll) }

// prepareUpdateAll wants float32 tensors in any layout without padding, those of one param alike.
func prepareUpdateAll(d *device, op engine.UpdateAll, in, out []engine.Desc) (*kernel, error) {
	if op.Rule > engine.Adam {
		return nil, unsupported(op, "no such rule")
	}
	ops := op.Each()
	n := len(ops)
	for i, t := range in[:len(in)-1] {
		if t.DType != engine.F32 || t.Layout != in[i%n].Layout {
			return nil, unsupported(op, "tensors of several layouts or types")
		}
	}
	for i, t := range out {
		if t.DType != engine.F32 || t.Layout != in[i%n].Layout {
			return nil, unsupported(op, "outputs in another layout or type")
		}
	}
	b := newBuild(d, op, in, out)
	for from := 0; from < n; from += segments {
		b.updateSome(op.Update, ops, in, from, min(from+segments, n))
	}
	return b.kernel()
}

// updateSome adds the launch for params from … to-1.
func (b *build) updateSome(common engine.Update, ops []engine.Update, in []engine.Desc, from, to int) {
	n := len(ops)
	a := updateAllArgs{Count: uint32(to - from), Rule: uint32(common.Rule), L1: flag(common.L1), KeepStep: flag(common.KeepStep),
		Momentum: common.Momentum, Momentum2: common.Momentum2, RMSDecay: common.RMSDecay, Delta: common.Delta}
	for i := from; i < to; i++ {
		count := in[i].Shape.Count()
		a.Segments[i-from] = segment{N: uint32(count), First: a.Chunks, Rate: ops[i].Rate, Decay: ops[i].Decay}
		a.Chunks += uint32((count + updateChunk - 1) / updateChunk)
	}
	blocks := b.d.blocksFor(int(a.Chunks)*blockSize, blockSize)
	add(b, updateAll, "", blocks, blockSize, func(l *launch) updateAllArgs {
		a := a
		a.Hyper = l.in[len(l.in)-1]
		for i := from; i < to; i++ {
			s := &a.Segments[i-from]
			s.W, s.G, s.H = l.in[i], l.in[n+i], l.in[2*n+i]
			if common.Rule.Histories() == 2 {
				s.H2 = l.in[3*n+i]
			}
		}
		return a
	})
}
