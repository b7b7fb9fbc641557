package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.BoxAnnotator](func(g *source) []Case {
		var list []Case
		for _, shape := range []engine.Shape{{12, 8, 1, 1}, {3, 2, 4, 5}} {
			regions := g.uniform(0, 9, shape[0], 5, shape[2], shape[3])
			inner := shape[2] * shape[3]
			for i := range regions.Data {
				if i/inner%5 == 0 {
					regions.Data[i] = float32(g.IntN(3))
				}
			}
			one := engine.Shape{shape[0], 1, shape[2], shape[3]}
			list = append(list, Case{Op: engine.BoxAnnotator{PerItem: 3, Ignore: -1}, In: []Tensor{regions, g.steps(one...), g.labels(0, 4, one...), g.values(shape...)}})
		}
		return list
	})
}
