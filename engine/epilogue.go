package engine

// Act is an activation that an epilogue can apply.
type Act uint8

// The activations of an Epilogue.
const (
	ActNone Act = iota
	ActReLU     // max(x,0) + Slope·min(x,0)
	ActClip     // min(max(x, Low), High); of a Conv only, and an engine may lack it
)

// Epilogue is what an op may do to its output before storing it, in this order:
// add the bias along the channel axis, add a tensor of the output's shape, apply
// the activation. Only net/plan sets it; layers emit the separate ops. The bias
// and the tensor to add are extra inputs, in this order, after the op's own.
type Epilogue struct {
	Bias  bool
	Add   bool
	Act   Act
	Slope float32
	// Low and High are ActClip's bounds.
	Low, High float32
}

// Inputs is the number of extra inputs.
func (e Epilogue) Inputs() int {
	n := 0
	if e.Bias {
		n++
	}
	if e.Add {
		n++
	}
	return n
}

// check verifies the extra inputs against the output.
func (e Epilogue) check(op Op, extra []Desc, out Desc, channels int) error {
	if _, conv := op.(Conv); e.Act == ActClip && !conv {
		return inferError(op, "only a convolution's epilogue clips")
	}
	if len(extra) != e.Inputs() {
		return inferError(op, "epilogue takes %d inputs, got %d", e.Inputs(), len(extra))
	}
	if e.Bias {
		if !extra[0].Shape.Equal(Shape{channels}) {
			return inferError(op, "bias has shape %v, want %d", extra[0].Shape, channels)
		}
		extra = extra[1:]
	}
	if e.Add && !extra[0].Shape.Equal(out.Shape) {
		return inferError(op, "added tensor has shape %v, output has %v", extra[0].Shape, out.Shape)
	}
	return nil
}
