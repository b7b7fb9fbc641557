package engine

// PSROIPool averages regions over Group × Group bins, each bin from a channel of
// its own (Dai et al. 2016, R-FCN): bin (i, j) of output c reads channel
// (c·Group + i)·Group + j. A region is (item, x1, y1, x2, y2), corners in units of
// 1/Scale cells, rounded there, both inclusive. A bin without cells gives 0. An
// item that is none of x's fails the stream with an *IndexError.
//
//	in:  x (N, Outputs·Group², h, w), rois of 5 numbers each
//	out: y (R, Outputs, Group, Group)
type PSROIPool struct {
	Outputs, Group int
	Scale          float32
}

// Infer implements Op.
func (op PSROIPool) Infer(in []Desc) ([]Desc, error) {
	rois, err := regions(op, in, op.Group, op.Group)
	if err != nil {
		return nil, err
	}
	if c := in[0].Shape[1]; c != op.Outputs*op.Group*op.Group {
		return nil, inferError(op, "x has %d channels, want %d·%d²", c, op.Outputs, op.Group)
	}
	return []Desc{Dense(rois, op.Outputs, op.Group, op.Group)}, nil
}

// PSROIPoolGrad is the gradient of PSROIPool with respect to x of N items with
// planes of Height × Width.
//
//	in:  dy (R, Outputs, Group, Group), rois
//	out: dx (N, Outputs·Group², Height, Width)
type PSROIPoolGrad struct {
	Outputs, Group   int
	Scale            float32
	N, Height, Width int
}

// Infer implements Op.
func (op PSROIPoolGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	dx := Dense(op.N, op.Outputs*op.Group*op.Group, op.Height, op.Width)
	y, err := op.Forward().Infer([]Desc{dx, in[1]})
	if err != nil {
		return nil, inferError(op, "%v", err)
	}
	if !in[0].Shape.Equal(y[0].Shape) {
		return nil, inferError(op, "dy has shape %v, want %v", in[0].Shape, y[0].Shape)
	}
	return []Desc{dx}, nil
}

// Forward is the pooling whose gradient op is.
func (op PSROIPoolGrad) Forward() PSROIPool {
	return PSROIPool{Outputs: op.Outputs, Group: op.Group, Scale: op.Scale}
}
