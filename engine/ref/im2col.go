package ref

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareIm2col)
	register(prepareCol2im)
}

// newColumns is the geometry of the windows of one channel.
func newColumns(op engine.Im2col, x, y engine.Shape) (*window, error) {
	one := engine.Shape{1, 1}
	plane := append(one.Clone(), x[2:]...)
	return newWindow(op.Conv(), plane, append(one.Clone(), op.Kernel.List()...), append(one.Clone(), y[2:]...))
}

func prepareIm2col(op engine.Im2col, in, out []engine.Desc) (compute, error) {
	win, err := newColumns(op, in[0].Shape, out[0].Shape)
	if err != nil {
		return nil, err
	}
	taps := len(win.taps)
	return func(l *launch) error {
		x, y := l.in[0], l.out[0]
		l.each(in[0].Shape[:2].Count()*taps, func(i int) {
			plane, column := x[i/taps*win.in:][:win.in], y[i*win.out:][:win.out]
			clear(column)
			for _, r := range win.taps[i%taps] {
				for j := range r.n {
					column[r.y+j] = plane[r.x+j*win.step]
				}
			}
		})
		return nil
	}, nil
}

func prepareCol2im(op engine.Col2im, in, out []engine.Desc) (compute, error) {
	win, err := newColumns(op.Forward(), out[0].Shape, in[0].Shape)
	if err != nil {
		return nil, err
	}
	taps := len(win.taps)
	return func(l *launch) error {
		dy, dx := l.in[0], l.out[0]
		l.each(out[0].Shape[:2].Count(), func(i int) {
			acc := make([]float64, win.in)
			for t := range taps {
				win.backward(acc, dy[(i*taps+t)*win.out:][:win.out], t, 1)
			}
			for j, v := range acc {
				dx[i*win.in+j] = float32(v)
			}
		})
		return nil
	}, nil
}
