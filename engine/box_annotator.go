package engine

// BoxAnnotator keeps the labels and weights of the PerItem regions with the largest
// loss in each item (Shrivastava et al. 2016, OHEM); the others get the label
// Ignore and weights 0. Among equal losses the first region wins.
//
//	in:  regions (N, 5, H, W): item, xmin, ymin, xmax, ymax; loss and label (N, 1,
//	     H, W); weights (N, C, H, W)
//	out: label (N, 1, H, W), weights (N, C, H, W)
type BoxAnnotator struct{ PerItem, Ignore int }

// Infer implements Op.
func (op BoxAnnotator) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 4); err != nil {
		return nil, err
	}
	regions, weights := in[0].Shape, in[3].Shape
	if len(regions) != 4 || regions[1] != 5 || len(weights) != 4 {
		return nil, inferError(op, "regions have shape %v, want N 5 H W; weights %v", regions, weights)
	}
	one := Shape{regions[0], 1, regions[2], regions[3]}
	all := Shape{regions[0], weights[1], regions[2], regions[3]}
	if !in[1].Shape.Equal(one) || !in[2].Shape.Equal(one) || !weights.Equal(all) {
		return nil, inferError(op, "regions have shape %v, losses %v, labels %v, weights %v", regions, in[1].Shape, in[2].Shape, weights)
	}
	return []Desc{Dense(one...), Dense(all...)}, nil
}
