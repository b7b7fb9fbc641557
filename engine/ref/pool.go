package ref

import (
	"fmt"
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(preparePool)
	register(preparePoolGrad)
}

// poolWindow is what one output of a plane covers.
type poolWindow struct {
	cells []int32 // the inputs inside the image, in row-major order
	size  float64 // what AvePool divides by
}

// newPoolWindows lists the windows of one plane.
func newPoolWindows(op engine.Pool, size []int) ([]poolWindow, error) {
	k, s, p, o := op.Kernel.List(), op.Stride.List(), op.Pad.List(), op.Out.List()
	if len(k) != len(size) || len(s) != len(size) || len(p) != len(size) || len(o) != len(size) {
		return nil, fmt.Errorf("ref: %T: kernel %v, stride %v, pad %v, out %v for %d spatial axes", op, op.Kernel, op.Stride, op.Pad, op.Out, len(size))
	}
	windows := []poolWindow{{cells: []int32{0}, size: 1}}
	for i := range size {
		var next []poolWindow
		for _, w := range windows {
			for at := range o[i] {
				start := at*s[i] - p[i]
				end := min(start+k[i], size[i]+p[i])
				next = append(next, w.widen(start, end, size[i]))
			}
		}
		windows = next
	}
	return windows, nil
}

// widen adds an axis of the given size, of which the window covers start … end-1.
func (w poolWindow) widen(start, end, size int) poolWindow {
	v := poolWindow{size: w.size * float64(max(end-start, 0))}
	for _, c := range w.cells {
		for i := max(start, 0); i < min(end, size); i++ {
			v.cells = append(v.cells, c*int32(size)+int32(i))
		}
	}
	return v
}

func preparePool(op engine.Pool, in, _ []engine.Desc) (compute, error) {
	x := in[0].Shape
	windows, err := newPoolWindows(op, x[2:])
	if err != nil {
		return nil, err
	}
	planes, area := x[0]*x[1], x[2:].Count()
	return func(l *launch) error {
		y := l.output(0, planes*len(windows))
		l.each(planes, func(i int) {
			xp, yp := l.in[0][i*area:(i+1)*area], y[i*len(windows):][:len(windows)]
			if op.Method == engine.AvePool {
				average(yp, xp, windows)
				return
			}
			var index []float32
			if l.out[1] != nil {
				index = l.out[1][i*len(windows):][:len(windows)]
			}
			largest(yp, xp, windows, index, op.Mask)
		})
		return nil
	}, nil
}

func average(y, x []float32, windows []poolWindow) {
	for i, w := range windows {
		sum := 0.0
		for _, c := range w.cells {
			sum += float64(x[c])
		}
		if w.size > 0 { // a window beyond the padding averages nothing: 0
			sum /= w.size
		}
		y[i] = float32(sum)
	}
}

// largest takes the first strict maximum and where it was, if index is given.
func largest(y, x []float32, windows []poolWindow, index []float32, mask bool) {
	for i, w := range windows {
		best, at := float32(-math.MaxFloat32), int32(-1)
		for _, c := range w.cells {
			if x[c] > best {
				best, at = x[c], c
			}
		}
		y[i] = best
		switch {
		case index == nil:
		case mask:
			index[i] = float32(at)
		default:
			int32s(index)[i] = at
		}
	}
}

func preparePoolGrad(op engine.PoolGrad, in, out []engine.Desc) (compute, error) {
	size := op.Size.List()
	windows, err := newPoolWindows(op.Forward(), size)
	if err != nil {
		return nil, err
	}
	dy, dx := in[0].Shape, out[0].Shape
	if dy[2:].Count() != len(windows) {
		return nil, fmt.Errorf("ref: %T: dy has shape %v, out is %v", op, dy, op.Out)
	}
	planes, area := dy[0]*dy[1], dx[2:].Count()
	return func(l *launch) error {
		l.each(planes, func(i int) {
			acc := make([]float64, area)
			from := l.in[0][i*len(windows):][:len(windows)]
			if op.Method == engine.AvePool {
				spread(acc, from, windows)
			} else {
				route(acc, from, l.in[1][i*len(windows):][:len(windows)], op.Mask)
			}
			for j, v := range acc {
				l.out[0][i*area+j] = float32(v)
			}
		})
		return nil
	}, nil
}

// spread gives each input of a window an equal share of the gradient.
func spread(dx []float64, dy []float32, windows []poolWindow) {
	for i, w := range windows {
		for _, c := range w.cells {
			dx[c] += float64(dy[i]) / w.size
		}
	}
}

// route gives the gradient to where the maximum came from.
func route(dx []float64, dy, index []float32, mask bool) {
	for i, d := range dy {
		at := int(int32s(index)[i])
		if mask {
			at = int(index[i])
		}
		if at >= 0 && at < len(dx) {
			dx[at] += float64(d)
		}
	}
}
