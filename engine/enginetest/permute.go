package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Permute](permuteCases)
	gradients = append(gradients, permuteGradients)
}

func permuteCases(g *source) []Case {
	var list []Case
	for _, x := range []engine.Shape{{7}, {5, 6}, {2, 3, 4}, {2, 19, 7, 5}, {1, 16, 8, 8}, {2, 3, 1, 4, 5}} {
		for range 4 {
			list = append(list, Case{Op: engine.Permute{Order: engine.IntsOf(g.Perm(len(x))...)}, In: []Tensor{g.values(x...)}})
		}
	}
	return append(list, Case{Op: engine.Permute{Order: engine.IntsOf(0, 2, 3, 1)}, In: []Tensor{g.values(2, 24, 19, 19)}})
}

func permuteGradients(g *source) []gradient {
	op := engine.Permute{Order: engine.IntsOf(1, 2, 0)}
	return []gradient{{op: op, in: []Tensor{g.values(2, 3, 4)}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
		return Case{Op: op.Inverse(), In: []Tensor{dy}}
	}}}}}
}
