package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.ROIPool](func(g *source) []Case {
		var list []Case
		for _, op := range roiPools {
			list = append(list, Case{Op: op, In: []Tensor{g.values(2, 5, 12, 10), g.rois(9, 2, 190)}, Opaque: []int{1}})
		}
		return list
	})
	register[engine.ROIPoolGrad](func(g *source) []Case {
		var list []Case
		for _, op := range roiPools {
			x, rois := g.distinct(2, 3, 12, 10), g.rois(9, 2, 190)
			dy := g.values(9, 3, op.H, op.W)
			list = append(list, Case{Op: engine.ROIPoolGrad{N: 2, Height: 12, Width: 10}, In: []Tensor{dy, rois, {Shape: dy.Shape}},
				From: map[int]Source{2: {Op: op, In: []Tensor{x, rois}, Out: 1}}})
		}
		return list
	})
	gradients = append(gradients, roiPoolGradients)
}

var roiPools = []engine.ROIPool{{H: 2, W: 3, Scale: 0.0625}, {H: 7, W: 7, Scale: 0.125}, {H: 1, W: 1, Scale: 1}}

// rois are n regions in the given number of items; some reach beyond the image.
func (g *source) rois(n, items int, size float64) Tensor {
	t := Tensor{Shape: engine.Shape{n, 5}}
	for range n {
		x, y := g.Float64()*size, g.Float64()*size
		w, h := g.Float64()*size*0.6, g.Float64()*size*0.6
		t.Data = append(t.Data, float32(g.IntN(items)), float32(x-w/2), float32(y-h/2), float32(x+w/2), float32(y+h/2))
	}
	return t
}

func roiPoolGradients(g *source) []gradient {
	op := engine.ROIPool{H: 2, W: 2, Scale: 0.5}
	x, rois := g.distinct(2, 1, 5, 4), g.rois(4, 2, 8)
	return []gradient{{op: op, in: []Tensor{x, rois}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
		return Case{Op: engine.ROIPoolGrad{N: 2, Height: 5, Width: 4}, In: []Tensor{dy, rois, {Shape: dy.Shape}},
			From: map[int]Source{2: {Op: op, In: []Tensor{x, rois}, Out: 1}}}
	}}}}}
}
