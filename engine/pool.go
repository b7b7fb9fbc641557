package engine

// PoolMethod is what a pooling window computes.
type PoolMethod uint8

// The pooling methods.
const (
	MaxPool PoolMethod = iota
	AvePool
)

func (m PoolMethod) String() string { return [...]string{"Max", "Ave"}[m] }

// Pool slides a window over the spatial axes. Window o of an axis covers
// [o·Stride−Pad, min(o·Stride−Pad+Kernel, Size+Pad)); windows may hang over the
// end, Out says how many there are (Caffe's ceil and clip are the layer's).
//
// AvePool divides by the window's size before it is clipped to the image
// itself, so padding counts (but not what lies beyond Size+Pad); a window wholly
// beyond Size+Pad gives 0. MaxPool takes the first strict maximum in row-major
// order inside the image, from −FLT_MAX.
//
//	in:  x (N, C, H, W)
//	out: y (N, C, Out…); MaxPool also index: where the maximum came from, for
//	     PoolGrad only. Its content is the device's own, its Desc is I32 of y's
//	     shape. With Mask it is instead a float32 tensor: the position in the
//	     plane, h·W + w, −1 where no element was larger than −FLT_MAX.
type Pool struct {
	Method                   PoolMethod
	Kernel, Stride, Pad, Out Ints
	Mask                     bool
}

// Infer implements Op.
func (op Pool) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	x, o := in[0].Shape, op.Out.List()
	if len(x) != 2+len(o) {
		return nil, inferError(op, "x has shape %v, want %d spatial axes", x, len(o))
	}
	if len(op.Kernel.List()) != len(o) {
		return nil, inferError(op, "kernel %v, out %v: want one entry a spatial axis", op.Kernel, op.Out)
	}
	if err := checkWindows(op, op.Kernel, op.Stride, op.Pad, onesLike(op.Kernel)); err != nil {
		return nil, err
	}
	y := Dense(append(Shape{x[0], x[1]}, o...)...)
	if op.Method != MaxPool {
		return []Desc{y}, nil
	}
	index := Desc{DType: I32, Shape: y.Shape.Clone()}
	if op.Mask {
		index.DType = F32
	}
	return []Desc{y, index}, nil
}

// onesLike is a dilation of 1 for each axis.
func onesLike(kernel Ints) Ints {
	ones := kernel.List()
	for i := range ones {
		ones[i] = 1
	}
	return IntsOf(ones...)
}

// PoolGrad is the gradient of Pool with the same attributes. An index of −1
// gives its gradient to nobody.
//
//	in:  dy, and index for MaxPool
//	out: dx (N, C, Size…)
type PoolGrad struct {
	Method                   PoolMethod
	Kernel, Stride, Pad, Out Ints
	Mask                     bool
	Size                     Ints // spatial size of x
}

// Infer implements Op.
func (op PoolGrad) Infer(in []Desc) ([]Desc, error) {
	n := 1
	if op.Method == MaxPool {
		n = 2
	}
	if err := arity(op, in, n); err != nil {
		return nil, err
	}
	dy := in[0].Shape
	if len(dy) != 2+len(op.Size.List()) {
		return nil, inferError(op, "dy has shape %v, dx has size %v", dy, op.Size)
	}
	dx := Dense(append(Shape{dy[0], dy[1]}, op.Size.List()...)...)
	y, err := op.Forward().Infer([]Desc{dx})
	if err != nil {
		return nil, inferError(op, "%v", err)
	}
	if !dy.Equal(y[0].Shape) {
		return nil, inferError(op, "dy has shape %v, out is %v", dy, op.Out)
	}
	return []Desc{dx}, sameShapes(op, in)
}

// Forward is the pooling whose gradient op is.
func (op PoolGrad) Forward() Pool {
	return Pool{Method: op.Method, Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Out: op.Out, Mask: op.Mask}
}
