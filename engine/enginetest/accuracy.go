package enginetest

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register[engine.Accuracy](accuracyCases)
	register[engine.ArgMax](argMaxCases)
}

func accuracyCases(g *source) []Case {
	var list []Case
	for i, s := range softmaxShapes {
		for _, k := range []int{1, 3} {
			op := engine.Accuracy{TopK: k, Axis: s.axis, HasIgnore: i%2 == 1, Ignore: 255}
			x := g.values(s.shape...)
			if i%3 == 0 {
				x = g.steps(s.shape...) // ties count against the label
			}
			if len(x.Data) > 4 {
				x.Data[4] = float32(math.NaN())
			}
			list = append(list, Case{Op: op, In: []Tensor{x, g.classLabels(s, op.HasIgnore, op.Ignore)}})
		}
	}
	return list
}

func argMaxCases(g *source) []Case {
	var list []Case
	for _, shape := range []engine.Shape{{4, 10}, {2, 3, 4, 5}, {3, 2, 2, 1, 2}, {5, 1}} {
		for _, values := range []bool{false, true} {
			list = append(list, Case{Op: engine.ArgMax{TopK: 1, Values: values}, In: []Tensor{g.steps(shape...)}})
			for axis, n := range shape {
				op := engine.ArgMax{TopK: g.between(1, n), HasAxis: true, Axis: axis, Values: values}
				list = append(list, Case{Op: op, In: []Tensor{g.steps(shape...)}})
			}
		}
	}
	return append(list, Case{Op: engine.ArgMax{TopK: 7}, In: []Tensor{g.values(3, 4, 2, 2)}})
}
