package ref

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareBroadcast)
	register(prepareBroadcastGrad)
}

func prepareBroadcast(op engine.Broadcast, in, _ []engine.Desc) (compute, error) {
	outer, mid, inner := split(in[0].Shape, op.Axis, len(in[1].Shape))
	return func(l *launch) error {
		x, s, y := l.in[0], l.in[1], l.out[0]
		l.each(outer, func(i int) {
			for j := range mid {
				at := (i*mid + j) * inner
				apply(op.Fn, y[at:at+inner], x[at:at+inner], s[j])
			}
		})
		return nil
	}, nil
}

// apply combines a row with one factor or summand.
func apply(fn engine.BroadcastFn, y, x []float32, s float32) {
	for i, v := range x {
		if fn == engine.BroadcastMul {
			y[i] = v * s
		} else {
			y[i] = v + s
		}
	}
}

func prepareBroadcastGrad(op engine.BroadcastGrad, in, _ []engine.Desc) (compute, error) {
	outer, mid, inner := split(in[0].Shape, op.Axis, op.Rank)
	return func(l *launch) error {
		var x []float32
		if op.Fn == engine.BroadcastMul {
			x = l.in[1]
		}
		sumMiddle(l.out[0], l.in[0], x, outer, mid, inner)
		return nil
	}, nil
}

// sumMiddle sums a, or a·b where b is given, over the outer and inner axes.
func sumMiddle(s, a, b []float32, outer, mid, inner int) {
	for j := range mid {
		sum := 0.0
		for i := range outer {
			at := (i*mid + j) * inner
			row := a[at : at+inner]
			if b != nil {
				sum += dot(row, b[at:at+inner])
				continue
			}
			for _, v := range row {
				sum += float64(v)
			}
		}
		s[j] = float32(sum)
	}
}

// split counts the elements before, in and after the n axes from axis on.
func split(s engine.Shape, axis, n int) (outer, mid, inner int) {
	return s[:axis].Count(), s[axis : axis+n].Count(), s[axis+n:].Count()
}
