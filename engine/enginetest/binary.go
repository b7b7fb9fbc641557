package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Binary](binaryCases)
	register[engine.MaxGrad](maxGradCases)
	register[engine.Sum](sumCases)
}

// tensorShapes are for ops that do not care about axes.
var tensorShapes = []engine.Shape{{2, 16, 5, 4}, {3, 19, 7, 7}, {13}, {2, 3, 4, 2, 2}, {}}

func binaryCases(g *source) []Case {
	var list []Case
	for _, s := range tensorShapes {
		for _, op := range []engine.Binary{{Fn: engine.Mul}, {Fn: engine.Max}, {Fn: engine.Max, TieSecond: true}} {
			list = append(list, Case{Op: op, In: []Tensor{g.steps(s...), g.steps(s...)}})
		}
	}
	return list
}

func maxGradCases(g *source) []Case {
	var list []Case
	for _, s := range tensorShapes {
		for _, tie := range []bool{false, true} {
			list = append(list, Case{Op: engine.MaxGrad{TieSecond: tie}, In: []Tensor{g.values(s...), g.steps(s...), g.steps(s...)}})
		}
	}
	return list
}

func sumCases(g *source) []Case {
	var list []Case
	for _, s := range tensorShapes {
		for _, op := range []engine.Sum{{}, {Coeff: engine.FloatsOf(1, -1)}, {Coeff: engine.FloatsOf(0.5, 0, -2.25, 1)}, {Coeff: engine.FloatsOf(3)},
			{Act: engine.ActReLU}, {Act: engine.ActReLU, Slope: 0.1, Coeff: engine.FloatsOf(1, 1, 1)}} {
			n := len(op.Coeff.List())
			if n == 0 {
				n = g.between(1, 4)
			}
			c := Case{Op: op}
			for range n {
				c.In = append(c.In, g.values(s...))
			}
			list = append(list, c)
		}
	}
	return list
}
