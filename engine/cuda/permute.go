//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() { registerAny(preparePermute) }

// permuteRank is how many axes the kernel knows; axes that stay neighbours count
// as one.
const permuteRank = 6

type permuteArgs struct {
	X, Y uint64
	Size [permuteRank]div
	Step [permuteRank]uint32
	N    uint32
}

var permute = declare[permuteArgs]("permute", "_32", "_16")

// stride is an axis of y: its size, and how far apart its elements are in x.
type stride struct{ size, step int }

// stridesOf lists the axes of y, those of size 1 left out and neighbours joined.
func stridesOf(x engine.Shape, order []int) []stride {
	var list []stride
	for _, from := range order {
		s := stride{x[from], x[from+1:].Count()}
		if s.size == 1 {
			continue
		}
		if n := len(list); n > 0 && list[n-1].step == s.size*s.step {
			list[n-1] = stride{list[n-1].size * s.size, s.step}
			continue
		}
		list = append(list, s)
	}
	return list
}

func preparePermute(d *device, op engine.Permute, in, out []engine.Desc) (*kernel, error) {
	if _, err := alike(op, in[0], out[0]); err != nil {
		return nil, err
	}
	if in[0].Layout != engine.Plain {
		return nil, unsupported(op, "a layout of the device's own")
	}
	list := stridesOf(in[0].Shape, op.Order.List())
	if len(list) > permuteRank {
		return nil, unsupported(op, "more axes than its kernel knows")
	}
	a := permuteArgs{N: uint32(in[0].Shape.Count())}
	for i := range a.Size {
		a.Size[i] = divOf(1)
		if k := i - (permuteRank - len(list)); k >= 0 {
			a.Size[i], a.Step[i] = divOf(list[k].size), uint32(list[k].step)
		}
	}
	b := newBuild(d, op, in, out)
	each(b, permute, bitsForm(in[0].DType), int(a.N), func(l *launch) permuteArgs {
		a := a
		a.X, a.Y = l.in[0], l.out[0]
		return a
	})
	return b.kernel()
}
