package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Confusion](func(g *source) []Case {
		var list []Case
		for _, ignore := range []engine.Ints{engine.IntsOf(), engine.IntsOf(-1, 255, 2)} {
			label := g.labels(0, 4, 2, 1, 5, 6)
			if ignore != "" {
				label.Data[3], label.Data[17] = 255, -1
			}
			counts := g.labels(0, engine.ConfusionBase, 2, 4, 4)
			list = append(list, Case{Op: engine.Confusion{Ignore: ignore}, In: []Tensor{g.steps(2, 4, 5, 6), label, counts}})
		}
		return list
	})
	register[engine.SegmentScores](func(g *source) []Case {
		return []Case{
			{In: []Tensor{g.labels(0, 100, 2, 4, 4)}, Op: engine.SegmentScores{}},
			{In: []Tensor{{Shape: engine.Shape{2, 3, 3}, Data: make([]float32, 18)}}, Op: engine.SegmentScores{}},
		}
	})
}
