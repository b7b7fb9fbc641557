//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(prepareConcat)
	registerAny(prepareSlice)
}

type copyArgs struct {
	X, Y        uint64
	Row         div
	N, From, To uint32
}

// copyRows moves elements by their size in bits.
var copyRows = declare[copyArgs]("copy_rows", "_32", "_16")

// bitsForm is the form of a kernel that moves elements without looking at them.
func bitsForm(t engine.DType) string {
	if t == engine.BF16 {
		return "_16"
	}
	return "_32"
}

// copyRows adds the move of n rows of row elements, which begin every from-th
// element of x, first being the first, and every to-th of y.
func (b *build) copyRows(t engine.DType, n, row int, x pointer, from, first int, y pointer, to, start int) {
	if row == 0 || n == 0 {
		return
	}
	each(b, copyRows, bitsForm(t), n*row, func(l *launch) copyArgs {
		return copyArgs{X: x(l) + uint64(first)*uint64(t.Size()), Y: y(l) + uint64(start)*uint64(t.Size()),
			Row: divOf(row), N: uint32(n * row), From: uint32(from), To: uint32(to)}
	})
}

func prepareConcat(d *device, op engine.Concat, in, out []engine.Desc) (*kernel, error) {
	if _, err := alike(op, append(append([]engine.Desc{}, in...), out[0])...); err != nil {
		return nil, err
	}
	y, err := viewOf(op, out[0], op.Axis, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	to, at := y.mid*y.inner, 0
	for i, x := range in {
		row := x.Shape[op.Axis] * y.inner
		b.copyRows(x.DType, y.outer, row, input(i), row, 0, output(0), to, at)
		at += row
	}
	return b.kernel()
}

func prepareSlice(d *device, op engine.Slice, in, out []engine.Desc) (*kernel, error) {
	if _, err := alike(op, append(append([]engine.Desc{}, out...), in[0])...); err != nil {
		return nil, err
	}
	x, err := viewOf(op, in[0], op.Axis, 1)
	if err != nil {
		return nil, err
	}
	b := newBuild(d, op, in, out)
	from, at := x.mid*x.inner, 0
	for i, size := range op.Sizes.List() {
		row := size * x.inner
		if out[i].DType != engine.None {
			b.copyRows(out[i].DType, x.outer, row, input(0), from, at, output(i), row, 0)
		}
		at += row
	}
	return b.kernel()
}
