package engine

// Permute puts the axes of a tensor in another order: axis i of y is axis
// Order[i] of x. Its gradient is the Permute with the inverse order.
//
//	in:  x
//	out: y
type Permute struct{ Order Ints }

// Infer implements Op.
func (op Permute) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	x, order := in[0].Shape, op.Order.List()
	if len(order) != len(x) {
		return nil, inferError(op, "order %v of shape %v: want one entry an axis", op.Order, x)
	}
	y, used := make(Shape, len(x)), make([]bool, len(x))
	for i, from := range order {
		if from < 0 || from >= len(x) || used[from] {
			return nil, inferError(op, "order %v: want each axis of shape %v once", op.Order, x)
		}
		y[i], used[from] = x[from], true
	}
	return []Desc{Dense(y...)}, nil
}

// Inverse is the Permute that undoes op.
func (op Permute) Inverse() Permute {
	order := op.Order.List()
	back := make([]int, len(order))
	for i, from := range order {
		back[from] = i
	}
	return Permute{Order: IntsOf(back...)}
}
