package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Reduce](func(g *source) []Case { return g.reductions(reduceCase) })
	register[engine.ReduceGrad](func(g *source) []Case { return g.reductions(reduceGradCase) })
}

func (g *source) reductions(make func(g *source, op engine.Reduce, x engine.Shape) Case) []Case {
	var list []Case
	for _, s := range tensorShapes {
		for _, fn := range []engine.ReduceFn{engine.ReduceSum, engine.ReduceASum, engine.ReduceSumSq} {
			for axis := range len(s) + 1 {
				list = append(list, make(g, engine.Reduce{Fn: fn, Axis: axis, Coeff: pick[float32](g, 1, 0.25, -2)}, s))
			}
		}
	}
	return list
}

func reduceCase(g *source, op engine.Reduce, x engine.Shape) Case {
	return Case{Op: op, In: []Tensor{g.steps(x...)}}
}

func reduceGradCase(g *source, op engine.Reduce, x engine.Shape) Case {
	return Case{Op: engine.ReduceGrad(op), In: []Tensor{g.values(x[:op.Axis]...), g.steps(x...)}}
}
