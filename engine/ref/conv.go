package ref

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register(prepareConv)
	register(prepareConvGradData)
	register(prepareConvGradWeights)
}

// convSizes are the channel counts of a convolution from x (N, C, …) to
// y (N, O, …) by w (O, C/group, …).
type convSizes struct{ n, c, o, cg, og, taps int }

func newConvSizes(x, w engine.Shape, group int) convSizes {
	return convSizes{n: x[0], c: x[1], o: w[0], cg: w[1], og: w[0] / group, taps: w[2:].Count()}
}

func prepareConv(op engine.Conv, in, out []engine.Desc) (compute, error) {
	win, err := newWindow(op, in[0].Shape, in[1].Shape, out[0].Shape)
	if err != nil {
		return nil, err
	}
	z := newConvSizes(in[0].Shape, in[1].Shape, op.Group)
	return func(l *launch) error {
		x, w, y := l.in[0], l.in[1], l.out[0]
		finish := newEpilogue(op.Epilogue, l.in[2:])
		l.each(z.n*z.o, func(i int) {
			n, o := i/z.o, i%z.o
			acc := make([]float64, win.out)
			for c := range z.cg {
				plane := x[(n*z.c+o/z.og*z.cg+c)*win.in:][:win.in]
				weights := w[(o*z.cg+c)*z.taps:][:z.taps]
				for t, v := range weights {
					win.forward(acc, plane, t, float64(v))
				}
			}
			for j, v := range acc {
				y[i*win.out+j] = finish.at(v, o, i*win.out+j)
			}
		})
		return nil
	}, nil
}

func prepareConvGradData(op engine.ConvGradData, in, out []engine.Desc) (compute, error) {
	win, err := newWindow(op.Forward(), out[0].Shape, in[1].Shape, in[0].Shape)
	if err != nil {
		return nil, err
	}
	z := newConvSizes(out[0].Shape, in[1].Shape, op.Group)
	return func(l *launch) error {
		dy, w, dx := l.in[0], l.in[1], l.out[0]
		finish := newEpilogue(op.Epilogue, l.in[2:])
		l.each(z.n*z.c, func(i int) {
			n, c := i/z.c, i%z.c
			group := c / z.cg
			acc := make([]float64, win.in)
			for o := group * z.og; o < (group+1)*z.og; o++ {
				plane := dy[(n*z.o+o)*win.out:][:win.out]
				weights := w[(o*z.cg+c%z.cg)*z.taps:][:z.taps]
				for t, v := range weights {
					win.backward(acc, plane, t, float64(v))
				}
			}
			for j, v := range acc {
				dx[i*win.in+j] = finish.at(v, c, i*win.in+j)
			}
		})
		return nil
	}, nil
}

func prepareConvGradWeights(op engine.ConvGradWeights, in, out []engine.Desc) (compute, error) {
	x, dy := in[0].Shape, in[1].Shape
	want, err := op.Infer(in)
	if err != nil {
		return nil, err
	}
	win, err := newWindow(op.Forward(), x, want[0].Shape, dy)
	if err != nil {
		return nil, err
	}
	z := newConvSizes(x, want[0].Shape, op.Group)
	return func(l *launch) error {
		if dw := l.out[0]; dw != nil {
			l.each(z.o*z.cg, func(i int) {
				z.weightGrad(win, dw[i*z.taps:][:z.taps], l.in[0], l.in[1], i/z.cg, i%z.cg)
			})
		}
		if op.Bias && l.out[1] != nil {
			sumMiddle(l.out[1], l.in[1], nil, z.n, z.o, win.out)
		}
		return nil
	}, nil
}

// weightGrad computes the gradients of the weights from channel c of its group
// to output channel o.
func (z convSizes) weightGrad(win *window, dw, x, dy []float32, o, c int) {
	for t := range dw {
		sum := 0.0
		for n := range z.n {
			xp := x[(n*z.c+o/z.og*z.cg+c)*win.in:][:win.in]
			yp := dy[(n*z.o+o)*win.out:][:win.out]
			sum += win.correlate(xp, yp, t)
		}
		dw[t] = float32(sum)
	}
}

// forward adds v times the inputs that tap t meets to the outputs.
func (t *window) forward(y []float64, x []float32, tap int, v float64) {
	for _, r := range t.taps[tap] {
		if t.step == 1 {
			axpy(y[r.y:], v, x[r.x:r.x+r.n])
			continue
		}
		row := y[r.y : r.y+r.n]
		for i := range row {
			row[i] += v * float64(x[r.x+i*t.step])
		}
	}
}

// backward adds v times the outputs' gradients to the inputs that tap t meets.
func (t *window) backward(dx []float64, dy []float32, tap int, v float64) {
	for _, r := range t.taps[tap] {
		row := dy[r.y : r.y+r.n]
		if t.step == 1 {
			axpy(dx[r.x:], v, row)
			continue
		}
		for i, d := range row {
			dx[r.x+i*t.step] += v * float64(d)
		}
	}
}

// correlate is the sum over tap t of the inputs times the outputs' gradients.
func (t *window) correlate(x, dy []float32, tap int) float64 {
	sum := 0.0
	for _, r := range t.taps[tap] {
		row := dy[r.y : r.y+r.n]
		if t.step == 1 {
			sum += dot(x[r.x:r.x+r.n], row)
			continue
		}
		for i, d := range row {
			sum += float64(x[r.x+i*t.step]) * float64(d)
		}
	}
	return sum
}
