package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.L2Norm](func(g *source) []Case { return g.l2Norms(false) })
	register[engine.L2NormGrad](func(g *source) []Case { return g.l2Norms(true) })
	gradients = append(gradients, l2NormGradients)
}

func (g *source) l2Norms(grad bool) []Case {
	var list []Case
	for _, spatial := range []bool{false, true} {
		op := engine.L2Norm{Spatial: spatial, Eps: 1e-10}
		for _, x := range []engine.Shape{{3, 5}, {2, 19, 5, 7}, {1, 512, 6, 6}, {2, 4, 3}} {
			c := Case{Op: op, In: []Tensor{g.values(x...)}}
			if grad {
				out, _ := op.Infer(c.descs())
				c = Case{Op: engine.L2NormGrad(op), In: []Tensor{g.values(x...), g.values(x...), g.uniform(0.5, 3, out[1].Shape...)}}
			}
			list = append(list, c)
		}
	}
	return list
}

func l2NormGradients(g *source) []gradient {
	var list []gradient
	for _, spatial := range []bool{false, true} {
		op, x := engine.L2Norm{Spatial: spatial, Eps: 0.1}, g.apart(2, 3, 2, 2)
		list = append(list, gradient{op: op, in: []Tensor{x}, wrt: []wrt{{0, 0, func(dy Tensor, y []Tensor) Case {
			return Case{Op: engine.L2NormGrad(op), In: []Tensor{dy, x, y[1]}}
		}}}})
	}
	return list
}
