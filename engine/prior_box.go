package engine

// PriorBox lists the default boxes of a feature map of H × W cells in an image
// of ImageH × ImageW pixels (Liu et al. 2016, SSD): in each cell, for each
// MinSize a square of that side, one of side √(MinSize·MaxSize) if there are
// MaxSizes, and for each of Ratios r a box √r times as wide and 1/√r as high.
// Corners are relative to the image. Sizes count as whole pixels, as in SSD.
//
//	in:  nothing
//	out: y (1, 2, 4·boxes): xmin, ymin, xmax, ymax of each box, then its four Variances
type PriorBox struct {
	H, W, ImageH, ImageW int
	StepH, StepW, Offset float32 // the centre of cell i is at (i + Offset)·Step pixels
	MinSizes, MaxSizes   Floats  // MaxSizes: as many, or none
	Ratios               Floats  // without 1
	Variances            Floats  // four
	Clip                 bool    // corners are held between 0 and 1
}

// PerCell is the number of boxes of a cell.
func (op PriorBox) PerCell() int {
	min := len(op.MinSizes.List())
	return min*(1+len(op.Ratios.List())) + len(op.MaxSizes.List())
}

// Infer implements Op.
func (op PriorBox) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 0); err != nil {
		return nil, err
	}
	max := len(op.MaxSizes.List())
	if op.H < 0 || op.W < 0 || op.ImageH < 1 || op.ImageW < 1 || len(op.Variances.List()) != 4 || max != 0 && max != len(op.MinSizes.List()) {
		return nil, inferError(op, "%+v", op)
	}
	return []Desc{Dense(1, 2, 4*op.H*op.W*op.PerCell())}, nil
}
