package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.LRN](lrnCases)
	register[engine.LRNGrad](lrnGradCases)
}

var lrnOps = []engine.LRN{
	{Size: 5, Alpha: 1e-4, Beta: 0.75, K: 1}, {Size: 5, Alpha: 1, Beta: 0.75, K: 1}, {Size: 3, Alpha: 0.5, Beta: 0.5, K: 2},
	{Size: 7, Alpha: 2, Beta: 1, K: 1}, {Size: 1, Alpha: 1, Beta: 0.75, K: 1},
}

var lrnShapes = []engine.Shape{{2, 16, 5, 4}, {1, 19, 7, 7}, {3, 3, 2, 2}, {2, 1, 3, 3}}

func lrnCases(g *source) []Case {
	var list []Case
	for _, op := range lrnOps {
		for _, s := range lrnShapes {
			list = append(list, Case{Op: op, In: []Tensor{g.uniform(-2, 2, s...)}})
		}
	}
	return list
}

func lrnGradCases(g *source) []Case {
	var list []Case
	for _, op := range lrnOps {
		for _, s := range lrnShapes {
			list = append(list, Case{Op: engine.LRNGrad(op), In: []Tensor{g.values(s...), g.uniform(-2, 2, s...)}})
		}
	}
	return list
}
