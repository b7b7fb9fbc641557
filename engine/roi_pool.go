package engine

// ROIPool max-pools regions to H × W bins each (Girshick 2015, Fast R-CNN). A
// region is (item, x1, y1, x2, y2), its corners in units of 1/Scale cells, both
// inclusive; they are rounded to cells, and a region covers at least one. A bin
// without cells gives 0. An item that is none of x's fails the stream with an
// *IndexError.
//
//	in:  x (N, C, h, w), rois of 5 numbers each
//	out: y (R, C, H, W); index: where the maximum came from, for ROIPoolGrad
//	     only, the device's own content, I32 of y's shape
type ROIPool struct {
	H, W  int
	Scale float32
}

// Infer implements Op.
func (op ROIPool) Infer(in []Desc) ([]Desc, error) {
	rois, err := regions(op, in, op.H, op.W)
	if err != nil {
		return nil, err
	}
	y := Dense(rois, in[0].Shape[1], op.H, op.W)
	return []Desc{y, {DType: I32, Shape: y.Shape.Clone()}}, nil
}

// regions checks x and rois and gives the number of regions.
func regions(op Op, in []Desc, h, w int) (int, error) {
	if err := arity(op, in, 2); err != nil {
		return 0, err
	}
	x, rois := in[0].Shape, in[1].Shape
	if len(x) != 4 || h < 1 || w < 1 || len(rois) < 1 || rois.Count() != 5*rois[0] {
		return 0, inferError(op, "x has shape %v, rois have %v, want 4 axes and 5 numbers a region", x, rois)
	}
	return rois[0], nil
}

// ROIPoolGrad is the gradient of ROIPool with respect to x of N items with planes
// of Height × Width.
//
//	in:  dy (R, C, H, W), rois, index
//	out: dx (N, C, Height, Width)
type ROIPoolGrad struct{ N, Height, Width int }

// Infer implements Op.
func (op ROIPoolGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	dy := in[0].Shape
	if len(dy) != 4 || in[1].Shape.Count() != 5*dy[0] || !in[2].Shape.Equal(dy) {
		return nil, inferError(op, "dy has shape %v, rois have %v, index has %v", dy, in[1].Shape, in[2].Shape)
	}
	return []Desc{Dense(op.N, dy[1], op.Height, op.Width)}, nil
}
