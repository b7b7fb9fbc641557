package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.SmoothL1](func(g *source) []Case { return g.smoothL1s(false) })
	register[engine.SmoothL1Grad](func(g *source) []Case { return g.smoothL1s(true) })
	gradients = append(gradients, func(g *source) []gradient {
		op, x := engine.SmoothL1{Sigma: 2}, g.distinct(4, 5)
		return []gradient{{op: op, in: []Tensor{x}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
			return Case{Op: engine.SmoothL1Grad(op), In: []Tensor{dy, x}}
		}}}}}
	})
}

func (g *source) smoothL1s(grad bool) []Case {
	var list []Case
	for _, sigma := range []float32{1, 3, 0.5} {
		for _, shape := range []engine.Shape{{7}, {2, 19, 5, 3}, {}} {
			op, x := engine.SmoothL1{Sigma: sigma}, g.uniform(-4, 4, shape...)
			c := Case{Op: op, In: []Tensor{x}}
			if grad {
				c = Case{Op: engine.SmoothL1Grad(op), In: []Tensor{g.values(shape...), x}}
			}
			list = append(list, c)
		}
	}
	return list
}
