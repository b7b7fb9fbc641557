package engine

import "fmt"

// Softmax is exp(x − max)/Σ along an axis; y may be written over x.
//
//	in:  x
//	out: y
type Softmax struct{ Axis int }

// Infer implements Op.
func (op Softmax) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 1); err != nil {
		return nil, err
	}
	if op.Axis < 0 || op.Axis >= len(in[0].Shape) {
		return nil, inferError(op, "axis %d of shape %v", op.Axis, in[0].Shape)
	}
	return []Desc{Dense(in[0].Shape...)}, nil
}

// InPlace implements InPlacer.
func (op Softmax) InPlace() int { return 0 }

// SoftmaxGrad is the gradient of Softmax: dx = y·(dy − Σ dy·y).
//
//	in:  dy, y
//	out: dx
type SoftmaxGrad struct{ Axis int }

// Infer implements Op.
func (op SoftmaxGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	if op.Axis < 0 || op.Axis >= len(in[0].Shape) {
		return nil, inferError(op, "axis %d of shape %v", op.Axis, in[0].Shape)
	}
	return []Desc{Dense(in[0].Shape...)}, sameShapes(op, in)
}

// InPlace implements InPlacer.
func (op SoftmaxGrad) InPlace() int { return 0 }

// Normalization is what a loss is divided by, Caffe's
// LossParameter.NormalizationMode.
type Normalization uint8

// The normalisations; the divisor is at least 1.
const (
	NormFull      Normalization = iota // outer·inner: every position
	NormValid                          // positions whose label is not ignored
	NormBatchSize                      // outer: the product of the axes before Axis
	NormNone                           // 1
)

func (n Normalization) String() string {
	return [...]string{"FULL", "VALID", "BATCH_SIZE", "NONE"}[n]
}

// SoftmaxLoss is the cross entropy of softmax(x) and integer labels:
// Σ −ln max(p[label], FLT_MIN) / normaliser over the positions that are not
// ignored. A label outside 0 … classes−1 that is not Ignore, NaN too, fails the
// stream with a *LabelError.
//
//	in:  x, outer axes × classes (at Axis) × inner axes; label, outer·inner
//	     entries, float32 holding integers (truncated)
//	out: loss (scalar), prob: softmax(x)
type SoftmaxLoss struct {
	Axis      int
	HasIgnore bool
	Ignore    int
	Norm      Normalization
}

// Infer implements Op.
func (op SoftmaxLoss) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 2); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if op.Axis < 0 || op.Axis >= len(x) {
		return nil, inferError(op, "axis %d of shape %v", op.Axis, x)
	}
	if x.Count() != in[1].Shape.Count()*x[op.Axis] {
		return nil, inferError(op, "scores have shape %v, labels have %v: want one label a position", x, in[1].Shape)
	}
	return []Desc{Dense(), Dense(x...)}, nil
}

// SoftmaxLossGrad is the gradient of SoftmaxLoss with respect to x:
// (prob − onehot(label))·dloss/normaliser, 0 where the label is ignored; dx may
// be written over prob.
//
//	in:  prob, label, dloss (scalar)
//	out: dx
type SoftmaxLossGrad struct {
	Axis      int
	HasIgnore bool
	Ignore    int
	Norm      Normalization
}

// Infer implements Op.
func (op SoftmaxLossGrad) Infer(in []Desc) ([]Desc, error) {
	if err := arity(op, in, 3); err != nil {
		return nil, err
	}
	if _, err := (SoftmaxLoss{Axis: op.Axis}).Infer(in[:2]); err != nil {
		return nil, inferError(op, "%v", err)
	}
	if in[2].Shape.Count() != 1 {
		return nil, inferError(op, "dloss has shape %v, want one element", in[2].Shape)
	}
	return []Desc{Dense(in[0].Shape...)}, nil
}

// InPlace implements InPlacer.
func (op SoftmaxLossGrad) InPlace() int { return 0 }

// LabelError is a label that is no class.
type LabelError struct {
	Label   float32
	Item    int // which entry of the label blob
	Classes int
}

func (e *LabelError) Error() string {
	return fmt.Sprintf("label %g of item %d is outside the classes 0 to %d; check the labels of the data, num_output of the layer before, or set ignore_label", e.Label, e.Item, e.Classes-1)
}
