package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Interp](interpCases)
	register[engine.InterpGrad](func(g *source) []Case {
		list := interpCases(g)
		for i, c := range list { // the gradient of the resizing the other way
			list[i].Op = engine.InterpGrad(c.Op.(engine.Interp))
		}
		return list
	})
	gradients = append(gradients, func(g *source) []gradient {
		return []gradient{{op: engine.Interp{H: 5, W: 2}, in: []Tensor{g.values(1, 2, 3, 4)}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
			return Case{Op: engine.InterpGrad{H: 3, W: 4}, In: []Tensor{dy}}
		}}}}}
	})
}

func interpCases(g *source) []Case {
	var list []Case
	for _, z := range [][4]int{{4, 5, 8, 9}, {9, 7, 3, 4}, {1, 1, 5, 6}, {6, 5, 1, 1}, {7, 7, 7, 7}, {12, 20, 45, 60}} {
		list = append(list, Case{Op: engine.Interp{H: z[2], W: z[3]}, In: []Tensor{g.values(2, 3, z[0], z[1])}})
	}
	return list
}
