package engine

// Pixels makes of pictures' bytes the numbers that a net reads, as Caffe's data layers do
// (data_transformer.cpp): y = (byte − mean)·Scale, with both roundings of float32. The
// bytes are those of the crop already; cutting it out is the copy that the host makes
// anyway. It has no gradient.
//
//	in:  bytes (N, C, H, W) of type U8, in the order that the window says;
//	     windows (N, WindowSize); mean: a mean image (C, height, width), or one value a channel (C)
//	out: y (N, C, H, W)
type Pixels struct{ Scale float32 }

// The entries of a window.
const (
	WindowTop         = iota // the row of the mean image where the crop begins
	WindowLeft               // the column; the window lies within the mean image
	WindowMirrored           // 1: rows are turned round, after the mean is subtracted; else 0
	WindowInterleaved        // 1: the bytes are rows of columns of channels; 0: channels of rows of columns
	WindowSize
)

// Infer implements Op.
func (op Pixels) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	bytes, windows, mean := in[0], in[1], in[2]
	if len(bytes.Shape) != 4 || bytes.DType != U8 {
		return nil, inferError(op, "the pictures are %v of shape %v, want bytes of 4 axes", bytes.DType, bytes.Shape)
	}
	n, c, h, w := bytes.Shape[0], bytes.Shape[1], bytes.Shape[2], bytes.Shape[3]
	if !windows.Shape.Equal(Shape{n, WindowSize}) {
		return nil, inferError(op, "the windows have shape %v, want %d %d", windows.Shape, n, WindowSize)
	}
	values := mean.Shape.Equal(Shape{c})
	image := len(mean.Shape) == 3 && mean.Shape[0] == c && mean.Shape[1] >= h && mean.Shape[2] >= w
	if !values && !image {
		return nil, inferError(op, "the mean has shape %v for pictures of %v", mean.Shape, bytes.Shape[1:])
	}
	return []Desc{Dense(bytes.Shape...)}, nil
}

// PixelFormat is what the batches of a source of bytes have in common.
type PixelFormat struct {
	Op        Pixels
	Mean      []float32 // the op's input of the name
	MeanShape Shape
}

// PixelTaker is a Device that takes pictures as bytes: a quarter of what the host would send
// otherwise, and none of the arithmetic. Package net asserts it and nobody else.
type PixelTaker interface{ TakesPixels() }
