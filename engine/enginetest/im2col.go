package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Im2col](func(g *source) []Case { return g.columns(false) })
	register[engine.Col2im](func(g *source) []Case { return g.columns(true) })
	gradients = append(gradients, columnGradients)
}

// columns takes the convolutions' geometries.
func (g *source) columns(back bool) []Case {
	return g.convs(func(g *source, z geometry, _ bool) Case {
		if len(z.x) < 3 { // no spatial axis
			z, _ = newGeometry(1, 2, 2, 1, []int{5}, []int{2}, []int{1}, []int{1}, []int{2})
		}
		op, grad, y := columnOps(z)
		if back {
			return Case{Op: grad, In: []Tensor{g.values(y...)}}
		}
		return Case{Op: op, In: []Tensor{g.values(z.x...)}}
	})
}

// columnOps are the ops of a convolution's windows, and the shape of the columns.
func columnOps(z geometry) (engine.Im2col, engine.Col2im, engine.Shape) {
	op := engine.Im2col{Kernel: z.op.Kernel, Stride: z.op.Stride, Pad: z.op.Pad, Dilation: z.op.Dilation}
	y := z.y.Clone()
	y[1] = z.x[1] * z.w[2:].Count()
	return op, engine.Col2im{Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Dilation: op.Dilation, Size: engine.IntsOf(z.x[2:]...)}, y
}

func columnGradients(g *source) []gradient {
	z, _ := newGeometry(2, 2, 1, 1, []int{5, 6}, []int{3, 2}, []int{2, 1}, []int{1, 1}, []int{1, 2})
	op, grad, _ := columnOps(z)
	return []gradient{{op: op, in: []Tensor{g.values(z.x...)}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
		return Case{Op: grad, In: []Tensor{dy}}
	}}}}}
}
