package engine

// Reshape gives the same elements in row-major order another shape. Between
// plain layouts the plan makes it an alias and no kernel runs.
//
//	in:  x
//	out: y of Shape
type Reshape struct{ Shape Ints }

// Infer implements Op.
func (op Reshape) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	to := Shape(op.Shape.List())
	if to.Count() != in[0].Shape.Count() {
		return nil, inferError(op, "%v has %d elements, %v has %d", in[0].Shape, in[0].Shape.Count(), to, to.Count())
	}
	return []Desc{Dense(to...)}, nil
}

// Reorder copies a tensor from the layout of its input to that of its output, which
// may also be BF16 where the input is F32 or the other way.
//
//	in:  x
//	out: y, x's shape
type Reorder struct{}

// Infer implements Op.
func (op Reorder) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	return []Desc{{DType: in[0].DType, Shape: in[0].Shape}}, nil
}

// Fill sets all elements to Value.
//
//	in:  nothing
//	out: y of Shape
type Fill struct {
	Shape Ints
	Value float32
}

// Infer implements Op.
func (op Fill) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 0); err != nil {
		return nil, err
	}
	return []Desc{Dense(op.Shape.List()...)}, nil
}
