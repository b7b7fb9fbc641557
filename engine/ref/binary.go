package ref

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareBinary)
	register(prepareMaxGrad)
	register(prepareSum)
}

func prepareBinary(op engine.Binary, _, _ []engine.Desc) (compute, error) {
	return func(l *launch) error {
		a, b, y := l.in[0], l.in[1], l.out[0]
		l.spans(len(y), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				switch {
				case op.Fn == engine.Mul:
					y[i] = a[i] * b[i]
				case secondWins(a[i], b[i], op.TieSecond):
					y[i] = b[i]
				default:
					y[i] = a[i]
				}
			}
		})
		return nil
	}, nil
}

// secondWins reports whether b is the larger one.
func secondWins(a, b float32, tieSecond bool) bool {
	if tieSecond {
		return !(a > b)
	}
	return b > a
}

func prepareMaxGrad(op engine.MaxGrad, _, _ []engine.Desc) (compute, error) {
	return func(l *launch) error {
		dy, a, b := l.in[0], l.in[1], l.in[2]
		da, db := l.output(0, len(dy)), l.output(1, len(dy))
		l.spans(len(dy), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				d := dy[i]
				if secondWins(a[i], b[i], op.TieSecond) {
					da[i], db[i] = 0, d
				} else {
					da[i], db[i] = d, 0
				}
			}
		})
		return nil
	}, nil
}

func prepareSum(op engine.Sum, in, _ []engine.Desc) (compute, error) {
	coeff := op.Coeff.List()
	if len(coeff) == 0 {
		for range in {
			coeff = append(coeff, 1)
		}
	}
	finish := newEpilogue(engine.Epilogue{Act: op.Act, Slope: op.Slope}, nil)
	return func(l *launch) error {
		y := l.out[0]
		l.spans(len(y), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				sum := 0.0
				for j, x := range l.in {
					sum += float64(coeff[j]) * float64(x[i])
				}
				y[i] = finish.at(sum, 0, i)
			}
		})
		return nil
	}, nil
}
