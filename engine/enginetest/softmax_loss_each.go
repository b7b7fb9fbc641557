package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.SoftmaxLossEach](func(g *source) []Case {
		return []Case{
			{Op: engine.SoftmaxLossEach{Axis: 1}, In: []Tensor{g.uniform(0, 1, 6, 5), g.labels(0, 5, 6)}},
			{Op: engine.SoftmaxLossEach{Axis: 1, HasIgnore: true, Ignore: -1}, In: []Tensor{g.uniform(0, 1, 2, 4, 3, 2), g.labels(-1, 4, 2, 1, 3, 2)}},
		}
	})
}
