package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.DetectionEvaluate](func(g *source) []Case {
		var list []Case
		for _, op := range []engine.DetectionEvaluate{
			{Classes: 3, Overlap: 0.5, Difficult: true},
			{Classes: 4, Overlap: 0.3},
		} {
			boxes := g.truth(op.Classes, 0, 0, 0, 2, -1, 2)
			list = append(list, Case{Op: op, In: []Tensor{g.detections(boxes, op.Classes, 20), boxes}})
		}
		return list
	})
}

// detections are n boxes near labelled ones, some of another class or of none.
func (g *source) detections(boxes Tensor, classes, n int) Tensor {
	t := Tensor{Shape: engine.Shape{1, 1, n, 7}}
	for range n {
		b := boxes.Data[8*g.IntN(len(boxes.Data)/8):][:8]
		class := b[1]
		if g.coin() {
			class = float32(pick(g, -1, g.between(1, classes-1)))
		}
		d := float32(g.Float64() * 0.1)
		t.Data = append(t.Data, b[0], class, float32(g.Float64()), b[3]+d, b[4]+d, b[5]+d, b[6]+d)
	}
	return t
}
