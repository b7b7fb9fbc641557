package ref

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareInterp)
	register(prepareInterpGrad)
}

// tap is the two positions of an axis that an output is mixed of.
type tap struct {
	at, next int
	weight   float64 // of next
}

// taps lists them for an axis that goes from in to out positions.
func taps(in, out int) []tap {
	ratio := float32(0)
	if out > 1 {
		ratio = float32(in-1) / float32(out-1)
	}
	list := make([]tap, out)
	for i := range list {
		place := ratio * float32(i)
		at := min(int(place), in-1)
		list[i] = tap{at: at, next: min(at+1, in-1), weight: float64(place - float32(at))}
	}
	return list
}

func prepareInterp(op engine.Interp, in, _ []engine.Desc) (compute, error) {
	x := in[0].Shape
	rows, cols := taps(x[2], op.H), taps(x[3], op.W)
	return func(l *launch) error {
		l.each(x[0]*x[1], func(i int) {
			from, to := l.in[0][i*x[2]*x[3]:][:x[2]*x[3]], l.out[0][i*op.H*op.W:]
			for r, row := range rows {
				for c, col := range cols {
					top := mix(from[row.at*x[3]:], col)
					bottom := mix(from[row.next*x[3]:], col)
					to[r*op.W+c] = float32(top + row.weight*(bottom-top))
				}
			}
		})
		return nil
	}, nil
}

func mix(row []float32, t tap) float64 {
	a, b := float64(row[t.at]), float64(row[t.next])
	return a + t.weight*(b-a)
}

func prepareInterpGrad(op engine.InterpGrad, in, _ []engine.Desc) (compute, error) {
	dy := in[0].Shape
	rows, cols := taps(op.H, dy[2]), taps(op.W, dy[3])
	return func(l *launch) error {
		l.each(dy[0]*dy[1], func(i int) {
			acc := make([]float64, op.H*op.W)
			for r, row := range rows {
				for c, col := range cols {
					d := float64(l.in[0][(i*dy[2]+r)*dy[3]+c])
					acc[row.at*op.W+col.at] += d * (1 - row.weight) * (1 - col.weight)
					acc[row.at*op.W+col.next] += d * (1 - row.weight) * col.weight
					acc[row.next*op.W+col.at] += d * row.weight * (1 - col.weight)
					acc[row.next*op.W+col.next] += d * row.weight * col.weight
				}
			}
			for j, v := range acc {
				l.out[0][i*len(acc)+j] = float32(v)
			}
		})
		return nil
	}, nil
}
