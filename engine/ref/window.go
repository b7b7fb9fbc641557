package ref

import (
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
)

// window is the geometry of a convolution over the spatial axes: for each
// element of the kernel, the runs along the last axis in which an output
// meets an input inside the image.
type window struct {
	in, out int // elements of one plane of x and of y
	step    int // distance in x from one output of a run to the next
	taps    [][]run
}

// run pairs the outputs y, y+1, … y+n-1 with the inputs x, x+step, …
type run struct{ x, y, n int }

// newWindow checks x, w and y against each other and lays out the runs.
func newWindow(op engine.Conv, x, w, y engine.Shape) (*window, error) {
	op.Epilogue = engine.Epilogue{} // its inputs were checked before
	want, err := op.Infer([]engine.Desc{engine.Dense(x...), engine.Dense(w...)})
	if err != nil {
		return nil, err
	}
	if !y.Equal(want[0].Shape) {
		return nil, fmt.Errorf("ref: %T: x of %v and w of %v give y of %v, not %v", op, x, w, want[0].Shape, y)
	}
	g := axesOf(op, x[2:], y[2:])
	last := len(g) - 1
	t := &window{in: x[2:].Count(), out: y[2:].Count(), step: g[last].stride}
	t.taps = make([][]run, w[2:].Count())
	for i := range t.taps {
		t.taps[i] = g.runs(i)
	}
	return t, nil
}

// axis is one spatial axis of a convolution.
type axis struct{ in, out, kernel, stride, pad, dilation int }

type axes []axis

// axesOf lists the spatial axes. Without any, or where each output reads the
// one input of its place, they are one axis: runs are then as long as can be.
func axesOf(op engine.Conv, in, out engine.Shape) axes {
	k, s, p, d := op.Kernel.List(), op.Stride.List(), op.Pad.List(), op.Dilation.List()
	var g axes
	pointwise := true
	for i := range k {
		g = append(g, axis{in[i], out[i], k[i], s[i], p[i], d[i]})
		pointwise = pointwise && k[i] == 1 && s[i] == 1 && p[i] == 0
	}
	if pointwise {
		n := in.Count()
		return axes{{in: n, out: n, kernel: 1, stride: 1, dilation: 1}}
	}
	return g
}

// runs lists the runs of one element of the kernel, in order of the outputs.
func (g axes) runs(tap int) []run {
	at := make([]int, len(g)) // the element's place along each axis, in pixels of x
	for i := len(g) - 1; i >= 0; i-- {
		at[i] = tap%g[i].kernel*g[i].dilation - g[i].pad
		tap /= g[i].kernel
	}
	rows := []run{{}}
	last := len(g) - 1
	for i, a := range g[:last] {
		var next []run
		for _, r := range rows {
			for o := range a.out {
				if x := o*a.stride + at[i]; x >= 0 && x < a.in {
					next = append(next, run{x: r.x*a.in + x, y: r.y*a.out + o})
				}
			}
		}
		rows = next
	}
	lo, hi := g[last].inside(at[last])
	if lo >= hi {
		return nil
	}
	for i, r := range rows {
		rows[i] = run{x: r.x*g[last].in + lo*g[last].stride + at[last], y: r.y*g[last].out + lo, n: hi - lo}
	}
	return rows
}

// inside is the range of outputs o with 0 ≤ o·stride + at < in.
func (a axis) inside(at int) (lo, hi int) {
	if at < 0 {
		lo = (-at + a.stride - 1) / a.stride
	}
	if at >= a.in {
		return 0, 0
	}
	return lo, min(a.out, (a.in-1-at)/a.stride+1)
}
