package ref

import "github.com/gocaffe/gocaffe/engine"

func init() { register(preparePermute) }

func preparePermute(op engine.Permute, in, out []engine.Desc) (compute, error) {
	x, y := in[0].Shape, out[0].Shape
	strides := make([]int, len(x)) // of x's axes
	for i, n := len(x)-1, 1; i >= 0; i-- {
		strides[i] = n
		n *= x[i]
	}
	steps := make([]int, len(y)) // in x for a step along y's axes
	for i, from := range op.Order.List() {
		steps[i] = strides[from]
	}
	return func(l *launch) error {
		if len(y) == 0 {
			return copyTensor(l)
		}
		inner := y[1:].Count()
		l.each(y[0], func(i int) {
			permuteInto(l.out[0][i*inner:(i+1)*inner], l.in[0], i*steps[0], y[1:], steps[1:])
		})
		return nil
	}, nil
}

// permuteInto fills y, of the given shape, with the elements of x from at on.
func permuteInto(y, x []float32, at int, shape engine.Shape, steps []int) {
	if len(shape) == 0 {
		y[0] = x[at]
		return
	}
	if len(shape) == 1 {
		for i := range y {
			y[i] = x[at+i*steps[0]]
		}
		return
	}
	inner := shape[1:].Count()
	for i := range shape[0] {
		permuteInto(y[i*inner:(i+1)*inner], x, at+i*steps[0], shape[1:], steps[1:])
	}
}
