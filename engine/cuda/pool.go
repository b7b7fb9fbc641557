//go:build cgo && linux

package cuda

import "github.com/gocaffe/gocaffe/engine"

func init() {
	registerAny(preparePool)
	registerAny(preparePoolGrad)
}

// spatialAxes is how many spatial axes kernels of windows have.
const spatialAxes = 3

type poolArgs struct {
	DY, X, Index, Y          uint64
	Inner, InPlane, OutPlane div
	In, Out, Stride          [spatialAxes]div
	Kernel, Pad              [spatialAxes]int32
	N, Mask                  uint32
}

var (
	maxPool     = declare[poolArgs]("max_pool", formF32, formBF16)
	avePool     = declare[poolArgs]("ave_pool", formF32, formBF16)
	maxPoolGrad = declare[poolArgs]("max_pool_grad", formF32, formBF16)
	avePoolGrad = declare[poolArgs]("ave_pool_grad", formF32, formBF16)
)

// spatial are the numbers of an attribute for three axes: those that are missing
// come first and have the given one.
func spatial(v []int, missing int) [spatialAxes]int {
	var all [spatialAxes]int
	for i := range all {
		all[i] = missing
		if k := i - (spatialAxes - len(v)); k >= 0 {
			all[i] = v[k]
		}
	}
	return all
}

// divs are divisors of each.
func divs(v [spatialAxes]int) (d [spatialAxes]div) {
	for i, n := range v {
		d[i] = divOf(n)
	}
	return d
}

// int32s are the numbers as kernels take them.
func int32s(v [spatialAxes]int) (n [spatialAxes]int32) {
	for i, x := range v {
		n[i] = int32(x)
	}
	return n
}

// newPool is the geometry of a pooling of x.
func newPool(op engine.Pool, x engine.Desc) (poolArgs, error) {
	out := op.Out.List()
	if len(out) == 0 || len(out) > spatialAxes {
		return poolArgs{}, unsupported(op, "windows of 1 to 3 axes only")
	}
	in, inner := []int(x.Shape[2:]), 1
	if x.Layout == nhwc {
		inner = x.Shape[1]
	} else if x.Layout != engine.Plain {
		return poolArgs{}, unsupported(op, "a layout that it does not know")
	}
	return poolArgs{
		Inner: divOf(inner), InPlane: divOf(engine.Shape(in).Count()), OutPlane: divOf(engine.Shape(out).Count()),
		In: divs(spatial(in, 1)), Out: divs(spatial(out, 1)), Stride: divs(spatial(op.Stride.List(), 1)),
		Kernel: int32s(spatial(op.Kernel.List(), 1)), Pad: int32s(spatial(op.Pad.List(), 0)), Mask: flag(op.Mask),
	}, nil
}

func preparePool(d *device, op engine.Pool, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], out[0])
	if err != nil {
		return nil, err
	}
	a, err := newPool(op, in[0])
	if err != nil {
		return nil, err
	}
	p, n := avePool, out[0].Shape.Count()
	if op.Method == engine.MaxPool {
		p = maxPool
		if err := indexLayout(op, out[1], in[0]); err != nil {
			return nil, err
		}
	}
	a.N = uint32(n)
	b := newBuild(d, op, in, out)
	each(b, p, form, n, func(l *launch) poolArgs {
		a := a
		a.X, a.Y = l.in[0], l.out[0]
		if len(l.out) > 1 {
			a.Index = l.out[1]
		}
		return a
	})
	return b.kernel()
}

// indexLayout: the index lies as the activations do; it holds places in a plane,
// whatever the layout.
func indexLayout(op engine.Op, index, x engine.Desc) error {
	if index.DType != engine.None && (index.Layout != x.Layout || index.DType == engine.BF16) {
		return unsupported(op, "an index in another layout than the values")
	}
	return nil
}

func preparePoolGrad(d *device, op engine.PoolGrad, in, out []engine.Desc) (*kernel, error) {
	form, err := alike(op, in[0], out[0])
	if err != nil {
		return nil, err
	}
	a, err := newPool(op.Forward(), out[0])
	if err != nil {
		return nil, err
	}
	p, n := avePoolGrad, out[0].Shape.Count()
	if op.Method == engine.MaxPool {
		p = maxPoolGrad
		if err := indexLayout(op, in[1], out[0]); err != nil {
			return nil, err
		}
	}
	a.N = uint32(n)
	b := newBuild(d, op, in, out)
	each(b, p, form, n, func(l *launch) poolArgs {
		a := a
		a.DY, a.Y = l.in[0], l.out[0]
		if len(l.in) > 1 {
			a.Index = l.in[1]
		}
		return a
	})
	return b.kernel()
}
