package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareGather)
	register(prepareGatherGrad)
}

// rowsOf reads indices as Caffe does: truncated to integers.
func rowsOf(index []float32, rows int) ([]int, error) {
	out := make([]int, len(index))
	for i, v := range index {
		out[i] = -1
		if math.Abs(float64(v)) < math.MaxInt32 { // not NaN
			out[i] = int(v)
		}
		if out[i] < 0 || out[i] >= rows {
			return nil, &engine.IndexError{Index: v, Item: i, Rows: rows}
		}
	}
	return out, nil
}

func prepareGather(_ engine.Gather, in, _ []engine.Desc) (compute, error) {
	rows, n := in[0].Shape[0], in[0].Shape[1:].Count()
	return func(l *launch) error {
		x, y := l.in[0], l.out[0]
		at, err := rowsOf(l.in[1], rows)
		if err != nil {
			return err
		}
		l.each(len(at), func(i int) { copy(y[i*n:(i+1)*n], x[at[i]*n:]) })
		return nil
	}, nil
}

func prepareGatherGrad(op engine.GatherGrad, _, out []engine.Desc) (compute, error) {
	n := out[0].Shape[1:].Count()
	return func(l *launch) error {
		dy, dx := l.in[0], l.out[0]
		at, err := rowsOf(l.in[1], op.Rows)
		if err != nil {
			return err
		}
		clear(dx)
		for i, row := range at {
			to := dx[row*n : (row+1)*n]
			for j, d := range dy[i*n : (i+1)*n] {
				to[j] += d
			}
		}
		return nil
	}, nil
}
