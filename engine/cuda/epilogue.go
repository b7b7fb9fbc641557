//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

// epilogueArgs finish a product: y = act(y + bias + add), bias and add where not 0.
type epilogueArgs struct {
	Y, Bias, Add    uint64
	Inner, Channels div
	N, ReLU         uint32
	Slope           float32
}

var epilogue = declare[epilogueArgs]("epilogue", formF32, formBF16)

// addEpilogue adds our own kernel for what a library's does not do. The epilogue's inputs
// are inputs first, first+1, … of the launch.
func (b *build) addEpilogue(e engine.Epilogue, out engine.Desc, extra []engine.Desc, first int) {
	if e == (engine.Epilogue{}) {
		return
	}
	var bias, add pointer
	if e.Bias {
		if err := plain(b.op, extra[0]); err != nil {
			b.fail(err)
			return
		}
		bias, extra, first = input(first), extra[1:], first+1
	}
	if e.Add {
		t := extra[0]
		add = input(first)
		if t.DType == engine.BF16 && out.DType == engine.F32 {
			add, t.DType = b.widened(first, t), engine.F32
		}
		if _, err := alike(b.op, t, out); err != nil {
			b.fail(err)
			return
		}
	}
	z, err := viewOf(b.op, out, 1, 1)
	if err != nil {
		b.fail(err)
		return
	}
	packs(b, epilogue, formOf(out.DType), z.count(), func(l *launch) epilogueArgs {
		return epilogueArgs{Y: l.out[0], Bias: bias.at(l), Add: add.at(l), Inner: divOf(z.inner), Channels: divOf(z.mid),
			N: uint32(z.count()), ReLU: flag(e.Act == engine.ActReLU), Slope: e.Slope}
	})
}

// addClip clips the output in place.
func (b *build) addClip(e engine.Epilogue, out engine.Desc) {
	n := out.Shape.Count()
	each(b, unary, formOf(out.DType), n, func(l *launch) unaryArgs {
		return unaryArgs{X: l.out[0], Y: l.out[0], N: uint32(n), Fn: uint32(engine.Clip), A: e.Low, B: e.High}
	})
}
