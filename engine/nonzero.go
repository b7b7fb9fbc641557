package engine

// Nonzero gives the positions of the elements that are not 0, in order; NaN is
// not 0. Shapes cannot depend on values, so Count says how many there are:
// another number fails the stream.
//
//	in:  x
//	out: positions (Count), float32 holding integers: what Gather takes
type Nonzero struct{ Count int }

// Infer implements Op.
func (op Nonzero) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	if op.Count < 0 || op.Count > in[0].Shape.Count() {
		return nil, inferError(op, "%d of the elements of shape %v", op.Count, in[0].Shape)
	}
	return []Desc{Dense(op.Count)}, nil
}
