package engine

// Im2col writes the windows of a convolution as channels: channel
// c·∏Kernel + k of y holds element k of the kernel over channel c of x, 0 in the
// padding.
//
//	in:  x (N, C, S…) with one or more spatial axes
//	out: y (N, C·∏Kernel, out…), the spatial size as in Conv
type Im2col struct{ Kernel, Stride, Pad, Dilation Ints }

// Infer implements Op.
func (op Im2col) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	x, k := in[0].Shape, Shape(op.Kernel.List())
	if len(x) < 3 {
		return nil, inferError(op, "x has shape %v, want spatial axes", x)
	}
	one := Dense(append(Shape{1, x[1]}, k...)...)
	y, err := op.Conv().Infer([]Desc{in[0], one})
	if err != nil {
		return nil, inferError(op, "%v", err)
	}
	y[0].Shape[1] = x[1] * k.Count()
	return y, nil
}

// Conv is the convolution whose windows op writes.
func (op Im2col) Conv() Conv {
	return Conv{Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Dilation: op.Dilation, Group: 1}
}

// Col2im is the gradient of Im2col with the same attributes: it adds up what
// windows that overlap have of one element.
//
//	in:  dy (N, C·∏Kernel, out…)
//	out: dx (N, C, Size…)
type Col2im struct {
	Kernel, Stride, Pad, Dilation Ints
	Size                          Ints // spatial size of x
}

// Infer implements Op.
func (op Col2im) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	dy, taps := in[0].Shape, Shape(op.Kernel.List()).Count()
	if len(dy) < 3 || taps < 1 || dy[1]%taps != 0 {
		return nil, inferError(op, "dy has shape %v, kernel is %v", dy, op.Kernel)
	}
	dx := Dense(append(Shape{dy[0], dy[1] / taps}, op.Size.List()...)...)
	y, err := op.Forward().Infer([]Desc{dx})
	if err != nil {
		return nil, inferError(op, "%v", err)
	}
	if !y[0].Shape.Equal(dy) {
		return nil, inferError(op, "dy has shape %v, windows over %v give %v", dy, op.Size, y[0].Shape)
	}
	return []Desc{dx}, nil
}

// Forward is the op whose gradient op is.
func (op Col2im) Forward() Im2col {
	return Im2col{Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Dilation: op.Dilation}
}
