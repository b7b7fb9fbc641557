package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.PSROIPool](func(g *source) []Case {
		var list []Case
		for _, op := range psroiPools {
			list = append(list, Case{Op: op, In: []Tensor{g.values(2, op.Outputs*op.Group*op.Group, 12, 10), g.rois(9, 2, 190)}})
		}
		return list
	})
	register[engine.PSROIPoolGrad](func(g *source) []Case {
		var list []Case
		for _, op := range psroiPools {
			list = append(list, Case{Op: psroiPoolGrad(op, 2, 12, 10), In: []Tensor{g.values(9, op.Outputs, op.Group, op.Group), g.rois(9, 2, 190)}})
		}
		return list
	})
	gradients = append(gradients, func(g *source) []gradient {
		op, rois := engine.PSROIPool{Outputs: 1, Group: 2, Scale: 0.5}, g.rois(4, 2, 8)
		return []gradient{{op: op, in: []Tensor{g.values(2, 4, 5, 4), rois}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
			return Case{Op: psroiPoolGrad(op, 2, 5, 4), In: []Tensor{dy, rois}}
		}}}}}
	})
}

var psroiPools = []engine.PSROIPool{{Outputs: 2, Group: 3, Scale: 0.0625}, {Outputs: 1, Group: 7, Scale: 0.125}, {Outputs: 4, Group: 1, Scale: 0.5}}

func psroiPoolGrad(op engine.PSROIPool, n, height, width int) engine.PSROIPoolGrad {
	return engine.PSROIPoolGrad{Outputs: op.Outputs, Group: op.Group, Scale: op.Scale, N: n, Height: height, Width: width}
}
