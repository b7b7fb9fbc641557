package engine

// Conv is a cross-correlation over 0 to n spatial axes.
//
//	in:  x (N, C, S…), w (O, C/Group, Kernel…), epilogue inputs
//	out: y (N, O, ⌊(S+2·Pad−(Dilation·(Kernel−1)+1))/Stride⌋+1 …)
//
// All lists have one entry a spatial axis.
type Conv struct {
	Kernel, Stride, Pad, Dilation Ints
	Group                         int
	Epilogue                      Epilogue
}

// Infer implements Op.
func (op Conv) Infer(in []Desc) ([]Desc, error) {
	if len(in) < 2 {
		return nil, inferError(op, "takes x and w, got %d inputs", len(in))
	}
	x, w := in[0].Shape, in[1].Shape
	if err := checkWindows(op, op.Kernel, op.Stride, op.Pad, op.Dilation); err != nil {
		return nil, err
	}
	k, s, p, d := op.Kernel.List(), op.Stride.List(), op.Pad.List(), op.Dilation.List()
	if len(x) != 2+len(k) || len(w) != len(x) {
		return nil, inferError(op, "x has shape %v and w %v for %d spatial axes", x, w, len(k))
	}
	if op.Group < 1 || x[1] != w[1]*op.Group || w[0]%op.Group != 0 {
		return nil, inferError(op, "x has %d channels, w has shape %v, %d groups", x[1], w, op.Group)
	}
	y := Shape{x[0], w[0]}
	for i := range k {
		if w[2+i] != k[i] {
			return nil, inferError(op, "w has shape %v, kernel is %v", w, op.Kernel)
		}
		room := x[2+i] + 2*p[i] - (d[i]*(k[i]-1) + 1)
		if room < 0 {
			return nil, inferError(op, "kernel %v does not fit in %v with pad %v", op.Kernel, x, op.Pad)
		}
		y = append(y, room/s[i]+1)
	}
	out := Dense(y...)
	return []Desc{out}, op.Epilogue.check(op, in[2:], out, w[0])
}

// ConvGradData is the gradient of Conv with respect to x, and the forward
// computation of a deconvolution (then with an epilogue).
//
//	in:  dy (N, O, …), w (O, C/Group, Kernel…), epilogue inputs
//	out: dx (N, C, Size…)
//
// Size is the spatial size of x, which dy's does not determine.
type ConvGradData struct {
	Kernel, Stride, Pad, Dilation Ints
	Group                         int
	Size                          Ints
	Epilogue                      Epilogue
}

// Infer implements Op.
func (op ConvGradData) Infer(in []Desc) ([]Desc, error) {
	if len(in) < 2 {
		return nil, inferError(op, "takes dy and w, got %d inputs", len(in))
	}
	dy, w := in[0].Shape, in[1].Shape
	if len(dy) < 2 || len(dy) != len(w) || dy[1] != w[0] {
		return nil, inferError(op, "dy has shape %v, w has %v", dy, w)
	}
	if op.Group < 1 || w[0]%op.Group != 0 || len(op.Size.List()) != len(w)-2 {
		return nil, inferError(op, "w has shape %v, dx has size %v, %d groups", w, op.Size, op.Group)
	}
	channels := w[1] * op.Group
	out := Dense(append(Shape{dy[0], channels}, op.Size.List()...)...)
	return []Desc{out}, op.Epilogue.check(op, in[2:], out, channels)
}

// Forward is the convolution whose data gradient op is.
func (op ConvGradData) Forward() Conv {
	return Conv{Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Dilation: op.Dilation, Group: op.Group}
}

// ConvGradWeights is the gradient of Conv with respect to w, and with Bias also
// with respect to a bias over the output channels.
//
//	in:  x (N, C, S…), dy (N, O, …)
//	out: dw (O, C/Group, Kernel…), and db (O) if Bias
type ConvGradWeights struct {
	Kernel, Stride, Pad, Dilation Ints
	Group                         int
	Bias                          bool
}

// Infer implements Op.
func (op ConvGradWeights) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	x, dy := in[0].Shape, in[1].Shape
	if len(x) < 2 || len(x) != len(dy) || x[0] != dy[0] {
		return nil, inferError(op, "x has shape %v, dy has %v", x, dy)
	}
	if op.Group < 1 || x[1]%op.Group != 0 || dy[1]%op.Group != 0 || len(op.Kernel.List()) != len(x)-2 {
		return nil, inferError(op, "x has shape %v, dy has %v, kernel is %v, %d groups", x, dy, op.Kernel, op.Group)
	}
	dw := append(Shape{dy[1], x[1] / op.Group}, op.Kernel.List()...)
	out := []Desc{Dense(dw...)}
	if op.Bias {
		out = append(out, Dense(dy[1]))
	}
	return out, nil
}

// Forward is the convolution whose weight gradient op is.
func (op ConvGradWeights) Forward() Conv {
	return Conv{Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Dilation: op.Dilation, Group: op.Group}
}

// checkWindows verifies that the lists have one entry an axis, that windows have
// a size and move on, and that no padding is negative.
func checkWindows(op Op, kernel, stride, pad, dilation Ints) error {
	k, s, p, d := kernel.List(), stride.List(), pad.List(), dilation.List()
	if len(s) != len(k) || len(p) != len(k) || len(d) != len(k) {
		return inferError(op, "kernel %v, stride %v, pad %v, dilation %v: want one entry a spatial axis", kernel, stride, pad, dilation)
	}
	for i := range k {
		if k[i] < 1 || s[i] < 1 || p[i] < 0 || d[i] < 1 {
			return inferError(op, "kernel %d, stride %d, pad %d, dilation %d at spatial axis %d", k[i], s[i], p[i], d[i], i)
		}
	}
	return nil
}
