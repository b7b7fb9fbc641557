package engine

import "fmt"

// Gather takes slices of x along its first axis. An index, truncated to an
// integer as Caffe does, outside 0 … rows−1 fails the stream with an
// *IndexError, and so does NaN.
//
//	in:  x (rows, …), index of any shape, float32 holding integers
//	out: y, index's shape and behind it that of a slice
type Gather struct{}

// Infer implements Op.
func (op Gather) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if len(x) == 0 {
		return nil, inferError(op, "x is a scalar: want rows along its first axis")
	}
	return []Desc{Dense(append(in[1].Shape.Clone(), x[1:]...)...)}, nil
}

// GatherGrad is the gradient of Gather with respect to x, which has Rows rows:
// each slice of dy is added to its row, in order; rows without an index get 0.
//
//	in:  dy, index
//	out: dx (Rows, …)
type GatherGrad struct{ Rows int }

// Infer implements Op.
func (op GatherGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	dy, index := in[0].Shape, in[1].Shape
	if op.Rows < 0 || len(dy) < len(index) || !index.Equal(dy[:len(index)]) {
		return nil, inferError(op, "dy has shape %v, index has %v, x has %d rows", dy, index, op.Rows)
	}
	return []Desc{Dense(append(Shape{op.Rows}, dy[len(index):]...)...)}, nil
}

// IndexError is an index that is no row.
type IndexError struct {
	Index float32
	Item  int // which entry of the index blob
	Rows  int
}

func (e *IndexError) Error() string {
	if e.Rows == 0 {
		return fmt.Sprintf("index %g of item %d has nothing to choose from: the blob is empty", e.Index, e.Item)
	}
	return fmt.Sprintf("index %g of item %d is outside 0 to %d; check the indices of the data, or the size that they index", e.Index, e.Item, e.Rows-1)
}
