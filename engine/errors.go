package engine

import (
	"errors"
	"fmt"
)

// ErrUnsupported says that a device has no kernel for an op with these
// descriptors. The plan then asks for something plainer; any other error from
// Prepare surfaces.
var ErrUnsupported = errors.New("unsupported")

// ErrMemory says that a device has no memory left for an allocation.
var ErrMemory = errors.New("out of memory")

// UnsupportedError is ErrUnsupported with its reason.
type UnsupportedError struct {
	Engine string
	Op     Op
	Why    string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: %T is unsupported: %s", e.Engine, e.Op, e.Why)
}

// Unwrap makes errors.Is(err, ErrUnsupported) true.
func (e *UnsupportedError) Unwrap() error { return ErrUnsupported }

// inferError words what is wrong with an op's inputs.
func inferError(op Op, format string, args ...any) error {
	return fmt.Errorf("%T: %s", op, fmt.Sprintf(format, args...))
}

// arity checks the number of inputs.
func arity(op Op, in []Desc, n int) error {
	if len(in) != n {
		return inferError(op, "takes %d inputs, got %d", n, len(in))
	}
	return nil
}

// sameShapes checks that all inputs have the first one's shape.
func sameShapes(op Op, in []Desc) error {
	for i, d := range in {
		if !d.Shape.Equal(in[0].Shape) {
			return inferError(op, "input %d has shape %v, input 0 has %v", i, d.Shape, in[0].Shape)
		}
	}
	return nil
}
