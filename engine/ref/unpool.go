package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareUnpool)
	register(prepareUnpoolGrad)
}

// positions reads places in planes of the given area; −1 is none.
func positions(mask []float32, area int) ([]int, error) {
	at := make([]int, len(mask))
	for i, v := range mask {
		at[i] = -2
		if math.Abs(float64(v)) < math.MaxInt32 { // not NaN
			at[i] = int(v)
		}
		if at[i] < -1 || at[i] >= area {
			return nil, &engine.IndexError{Index: v, Item: i, Rows: area}
		}
	}
	return at, nil
}

func prepareUnpool(op engine.Unpool, in, _ []engine.Desc) (compute, error) {
	x := in[0].Shape
	from, to := x[2]*x[3], op.H*op.W
	return func(l *launch) error {
		at, err := positions(l.in[1], to)
		if err != nil {
			return err
		}
		y := l.out[0]
		clear(y)
		l.each(x[0]*x[1], func(plane int) {
			for i := plane * from; i < (plane+1)*from; i++ {
				if at[i] >= 0 {
					y[plane*to+at[i]] = l.in[0][i]
				}
			}
		})
		return nil
	}, nil
}

func prepareUnpoolGrad(_ engine.UnpoolGrad, in, _ []engine.Desc) (compute, error) {
	dy, mask := in[0].Shape, in[1].Shape
	from, to := mask[2]*mask[3], dy[2]*dy[3]
	return func(l *launch) error {
		at, err := positions(l.in[1], to)
		if err != nil {
			return err
		}
		for i, p := range at {
			l.out[0][i] = 0
			if p >= 0 {
				l.out[0][i] = l.in[0][i/from*to+p]
			}
		}
		return nil
	}, nil
}
