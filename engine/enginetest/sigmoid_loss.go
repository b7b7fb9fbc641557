package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.SigmoidLoss](func(g *source) []Case { return g.sigmoidLosses(false) })
	register[engine.SigmoidLossGrad](func(g *source) []Case { return g.sigmoidLosses(true) })
}

func (g *source) sigmoidLosses(grad bool) []Case {
	var list []Case
	for _, s := range []engine.Shape{{4, 7}, {2, 3, 5, 5}, {9}} {
		for _, norm := range normalizations {
			for _, ignore := range []bool{false, true} {
				x, target := g.uniform(-4, 4, s...), g.uniform(0, 1, s...)
				special(x, 90, -90, 0)
				if ignore {
					target = g.labels(-1, 2, s...)
				}
				op := engine.SigmoidLoss{HasIgnore: ignore, Ignore: -1, Norm: norm}
				c := Case{Op: op, In: []Tensor{x, target}}
				if grad {
					c = Case{Op: engine.SigmoidLossGrad(op), In: []Tensor{x, target, g.values()}}
				}
				list = append(list, c)
			}
		}
	}
	return list
}
