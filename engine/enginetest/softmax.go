package enginetest

import (
	"errors"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register[engine.Softmax](softmaxCases)
	register[engine.SoftmaxGrad](softmaxGradCases)
	register[engine.SoftmaxLoss](func(g *source) []Case { return g.softmaxLosses(false) })
	register[engine.SoftmaxLossGrad](func(g *source) []Case { return g.softmaxLosses(true) })
	extras["LabelError"] = checkLabelError
}

// softmaxShape is a shape and the axis of its classes.
type softmaxShape struct {
	shape engine.Shape
	axis  int
}

var softmaxShapes = []softmaxShape{
	{engine.Shape{6, 10}, 1}, {engine.Shape{64, 5}, 1}, {engine.Shape{2, 19, 4, 3}, 1}, {engine.Shape{2, 16, 3, 3}, 1},
	{engine.Shape{3, 4, 7}, 2}, {engine.Shape{5, 3}, 0}, {engine.Shape{1, 1000}, 1}, {engine.Shape{4, 1}, 1}, {engine.Shape{7}, 0},
}

var normalizations = []engine.Normalization{engine.NormFull, engine.NormValid, engine.NormBatchSize, engine.NormNone}

// labelShape is the shape of the labels: the classes' axis is 1.
func (s softmaxShape) labelShape() engine.Shape {
	l := s.shape.Clone()
	l[s.axis] = 1
	return l
}

// classLabels are labels of which every third is the ignored one, if there is one.
func (g *source) classLabels(s softmaxShape, hasIgnore bool, ignore int) Tensor {
	t := g.labels(0, s.shape[s.axis], s.labelShape()...)
	for i := range t.Data {
		if hasIgnore && i%3 == 0 {
			t.Data[i] = float32(ignore)
		}
	}
	return t
}

func softmaxCases(g *source) []Case {
	var list []Case
	for _, s := range softmaxShapes {
		x := g.uniform(-5, 5, s.shape...)
		special(x, 80, -200, 80)
		list = append(list, Case{Op: engine.Softmax{Axis: s.axis}, In: []Tensor{x}})
	}
	return list
}

func softmaxGradCases(g *source) []Case {
	var list []Case
	for _, s := range softmaxShapes {
		y := g.uniform(0, 1, s.shape...)
		list = append(list, Case{Op: engine.SoftmaxGrad{Axis: s.axis}, In: []Tensor{g.values(s.shape...), y}, Tol: 1e-3})
	}
	return list
}

func (g *source) softmaxLosses(grad bool) []Case {
	var list []Case
	for _, s := range softmaxShapes {
		for _, norm := range normalizations {
			for _, ignore := range []int{-2, -1, 0, 255} { // -2: none
				op := engine.SoftmaxLoss{Axis: s.axis, HasIgnore: ignore != -2, Ignore: ignore, Norm: norm}
				x, label := g.uniform(-5, 5, s.shape...), g.classLabels(s, op.HasIgnore, ignore)
				special(x, -300) // a probability of 0 costs −ln FLT_MIN
				c := Case{Op: op, In: []Tensor{x, label}}
				if grad {
					c = Case{Op: engine.SoftmaxLossGrad(op), In: []Tensor{g.uniform(0, 1, s.shape...), label, g.values()}}
				}
				list = append(list, c)
			}
		}
	}
	return append(list, allIgnored(grad))
}

// allIgnored has nothing to count, so that the divisor is 1.
func allIgnored(grad bool) Case {
	op := engine.SoftmaxLoss{Axis: 1, HasIgnore: true, Ignore: 3, Norm: engine.NormValid}
	p := Tensor{Shape: engine.Shape{2, 2}, Data: []float32{0.5, 0.5, 0.25, 0.75}}
	label := Tensor{Shape: engine.Shape{2}, Data: []float32{3, 3}}
	if grad {
		return Case{Op: engine.SoftmaxLossGrad(op), In: []Tensor{p, label, {Data: []float32{1}}}}
	}
	return Case{Op: op, In: []Tensor{p, label}}
}

// checkLabelError feeds labels that are no class: Sync must give a LabelError
// that names the item, and the stream must work afterwards.
func checkLabelError(t *testing.T, r *rig) {
	g := newSource("LabelError")
	x := g.values(4, 3)
	good := Case{Op: engine.SoftmaxLoss{Axis: 1}, In: []Tensor{x, g.labels(0, 3, 4)}}
	for _, op := range []engine.Op{engine.SoftmaxLoss{Axis: 1, HasIgnore: true, Ignore: 255}, engine.Accuracy{TopK: 1, Axis: 1}} {
		for _, bad := range []float32{3, -1, 1e9, -1e9} {
			label := g.labels(0, 3, 4)
			label.Data[2] = bad
			_, err := r.once(&Case{Op: op, In: []Tensor{x, label}}, mode{unread: -1})
			if errors.Is(err, engine.ErrUnsupported) {
				continue
			}
			want := engine.LabelError{Label: bad, Item: 2, Classes: 3}
			var got *engine.LabelError
			if !errors.As(err, &got) || *got != want {
				t.Errorf("%+v of label %g gives %v, want %v", op, bad, err, &want)
			}
			if _, err := r.once(&good, mode{unread: -1}); err != nil && !errors.Is(err, engine.ErrUnsupported) {
				t.Errorf("%+v: after a label error the stream fails: %v", op, err)
			}
		}
	}
}
