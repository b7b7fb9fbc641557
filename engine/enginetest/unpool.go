package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Unpool](func(g *source) []Case {
		return []Case{
			{Op: engine.Unpool{H: 6, W: 8}, In: []Tensor{g.values(2, 3, 3, 4), g.labels(0, 48, 2, 3, 3, 4)}},
			{Op: engine.Unpool{H: 3, W: 3}, In: []Tensor{g.values(1, 2, 4, 4), g.labels(-1, 9, 1, 2, 4, 4)}}, // many coincide
		}
	})
	register[engine.UnpoolGrad](func(g *source) []Case {
		return []Case{
			{Op: engine.UnpoolGrad{}, In: []Tensor{g.values(2, 3, 6, 8), g.labels(-1, 48, 2, 3, 3, 4)}},
			{Op: engine.UnpoolGrad{}, In: []Tensor{g.values(1, 2, 3, 3), g.labels(0, 9, 1, 2, 4, 4)}},
		}
	})
	gradients = append(gradients, func(g *source) []gradient {
		mask := Tensor{Shape: engine.Shape{1, 1, 2, 2}, Data: []float32{3, 0, 5, 4}}
		return []gradient{{op: engine.Unpool{H: 2, W: 3}, in: []Tensor{g.values(1, 1, 2, 2), mask}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
			return Case{Op: engine.UnpoolGrad{}, In: []Tensor{dy, mask}}
		}}}}}
	})
}
