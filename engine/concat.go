package engine

// Concat joins tensors along an axis.
//
//	in:  x0 … xn-1, equal but for the axis
//	out: y
type Concat struct{ Axis int }

// Infer implements Op.
func (op Concat) Infer(in []Desc) ([]Desc, error) {
	if len(in) == 0 || op.Axis < 0 || op.Axis >= len(in[0].Shape) {
		return nil, inferError(op, "axis %d of %v", op.Axis, in)
	}
	out := in[0].Shape.Clone()
	for i, d := range in[1:] {
		want := in[0].Shape.Clone()
		if len(d.Shape) == len(want) {
			want[op.Axis] = d.Shape[op.Axis]
		}
		if !d.Shape.Equal(want) {
			return nil, inferError(op, "input %d has shape %v, input 0 has %v: they may differ in axis %d only", i+1, d.Shape, in[0].Shape, op.Axis)
		}
		out[op.Axis] += d.Shape[op.Axis]
	}
	return []Desc{Dense(out...)}, nil
}

// Slice cuts a tensor along an axis; it is Concat's gradient, and Concat is its.
//
//	in:  x
//	out: y0 … yn-1 with Sizes[i] at the axis; each may be unread
type Slice struct {
	Axis  int
	Sizes Ints
}

// Infer implements Op.
func (op Slice) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if op.Axis < 0 || op.Axis >= len(x) {
		return nil, inferError(op, "axis %d of shape %v", op.Axis, x)
	}
	var out []Desc
	total := 0
	for _, n := range op.Sizes.List() {
		if n < 0 {
			return nil, inferError(op, "sizes %v", op.Sizes)
		}
		y := x.Clone()
		y[op.Axis] = n
		total += n
		out = append(out, Dense(y...))
	}
	if total != x[op.Axis] {
		return nil, inferError(op, "sizes %v of axis %d of shape %v", op.Sizes, op.Axis, x)
	}
	return out, nil
}
