package ref

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareConcat)
	register(prepareSlice)
}

func prepareConcat(op engine.Concat, in, out []engine.Desc) (compute, error) {
	rows := rowsAt(in, op.Axis)
	outer, _, _ := split(out[0].Shape, op.Axis, 1)
	return func(l *launch) error {
		y := l.out[0]
		for i := range outer {
			for j, n := range rows {
				y = y[copy(y, l.in[j][i*n:(i+1)*n]):]
			}
		}
		return nil
	}, nil
}

func prepareSlice(op engine.Slice, in, _ []engine.Desc) (compute, error) {
	outer, _, inner := split(in[0].Shape, op.Axis, 1)
	sizes := op.Sizes.List()
	return func(l *launch) error {
		x := l.in[0]
		for i := range outer {
			for j, size := range sizes {
				n := size * inner
				if y := l.out[j]; y != nil {
					copy(y[i*n:(i+1)*n], x)
				}
				x = x[n:]
			}
		}
		return nil
	}, nil
}

// rowsAt counts each tensor's elements from the axis on.
func rowsAt(descs []engine.Desc, axis int) []int {
	var n []int
	for _, d := range descs {
		n = append(n, d.Shape[axis:].Count())
	}
	return n
}
