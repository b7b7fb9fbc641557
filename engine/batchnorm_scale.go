package engine

// BatchNormScale is a BatchNorm whose output is multiplied by a factor a channel
// and finished by an epilogue, whose bias is the shift: Caffe's BatchNorm, Scale
// and ReLU in one. Only net/plan makes it; layers emit the separate ops.
//
//	in:  x (N, C, …), scale (C), epilogue inputs
//	out: y, mean (C), var (C)
type BatchNormScale struct {
	Eps      float32
	Epilogue Epilogue
}

// Infer implements Op.
func (op BatchNormScale) Infer(in []Desc) ([]Desc, error) {
	if len(in) < 2 {
		return nil, inferError(op, "takes x and scale, got %d inputs", len(in))
	}
	out, err := BatchNorm{Eps: op.Eps}.Infer(in[:1])
	if err != nil {
		return nil, err
	}
	channels := out[1].Shape
	if !in[1].Shape.Equal(channels) {
		return nil, inferError(op, "scale has shape %v, want %v", in[1].Shape, channels)
	}
	return out, op.Epilogue.check(op, in[2:], out[0], channels[0])
}

// BatchNormScaleGrad is the gradient of BatchNormScale, of all that it has but an
// added tensor: dx, and the sums over each channel that are the gradients of scale
// and of the shift. With Act, dy is the gradient behind the activation and y its
// output. dx may be written over dy.
//
//	in:  dy, x, mean, var, scale, and y if Act is set
//	out: dx, dscale (C), dshift (C)
type BatchNormScaleGrad struct {
	Eps   float32
	Act   Act
	Slope float32
}

// Infer implements Op.
func (op BatchNormScaleGrad) Infer(in []Desc) ([]Desc, error) {
	n := 5
	if op.Act != ActNone {
		n = 6
	}
	if err := arity(op, in, n); err != nil {
		return nil, err
	}
	out, err := BatchNormGrad{Eps: op.Eps}.Infer(in[:4])
	if err != nil {
		return nil, err
	}
	if err := sameShapes(op, []Desc{in[2], in[4]}); err != nil {
		return nil, err
	}
	if n == 6 {
		if err := sameShapes(op, []Desc{in[0], in[5]}); err != nil {
			return nil, err
		}
	}
	return append(out, Dense(in[4].Shape...), Dense(in[4].Shape...)), nil
}

// InPlace implements InPlacer.
func (op BatchNormScaleGrad) InPlace() int { return 0 }
