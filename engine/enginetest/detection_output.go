package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.DetectionOutput](func(g *source) []Case {
		var list []Case
		for _, op := range []engine.DetectionOutput{
			{Classes: 3, Code: engine.CornerCode, Threshold: 0.3, NMS: 0.4, Eta: 1, TopK: -1, KeepTopK: -1},
			{Classes: 4, Background: -1, PerClass: true, Code: engine.CenterSizeCode, Threshold: 0.5, NMS: 0.6, Eta: 0.9, TopK: 12, KeepTopK: 5},
			{Classes: 2, Code: engine.CornerSizeCode, VarianceInTarget: true, Threshold: 2, NMS: 0.4, Eta: 1, TopK: -1, KeepTopK: 7}, // nothing scores
		} {
			const items, boxes = 2, 30
			sets := 1
			if op.PerClass {
				sets = op.Classes
			}
			list = append(list, Case{Op: op, In: []Tensor{g.values(items, boxes*sets*4), g.uniform(0, 1, items, boxes*op.Classes), g.priors(boxes)}})
		}
		return list
	})
}

// priors are default boxes with variances.
func (g *source) priors(n int) Tensor {
	t := Tensor{Shape: engine.Shape{1, 2, 4 * n}}
	for range n {
		x, y := g.Float64()*0.8, g.Float64()*0.8
		t.Data = append(t.Data, float32(x), float32(y), float32(x+0.05+0.2*g.Float64()), float32(y+0.05+0.2*g.Float64()))
	}
	for range n {
		t.Data = append(t.Data, 0.1, 0.1, 0.2, 0.2)
	}
	return t
}
