package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Concat](func(g *source) []Case { return g.joins(concatCase) })
	register[engine.Slice](func(g *source) []Case { return g.joins(sliceCase) })
}

// joins makes cases of a shape, an axis and the sizes there.
func (g *source) joins(make func(g *source, shape engine.Shape, axis int, sizes []int) Case) []Case {
	var list []Case
	for _, z := range []struct {
		shape engine.Shape
		axis  int
		sizes []int
	}{
		{engine.Shape{2, 0, 5, 4}, 1, []int{16, 32}}, {engine.Shape{3, 0, 7, 7}, 1, []int{3, 20, 1}}, {engine.Shape{2, 0, 3, 3}, 1, []int{64, 96, 16, 32}},
		{engine.Shape{0, 4, 3}, 0, []int{2, 1}}, {engine.Shape{2, 3, 0}, 2, []int{5, 1, 2}}, {engine.Shape{2, 5, 0, 3}, 2, []int{4, 4}},
		{engine.Shape{0}, 0, []int{3, 4}}, {engine.Shape{2, 0}, 1, []int{6}}, {engine.Shape{2, 0, 2, 3, 2}, 1, []int{2, 3}},
	} {
		list = append(list, make(g, z.shape, z.axis, z.sizes))
	}
	return list
}

func concatCase(g *source, shape engine.Shape, axis int, sizes []int) Case {
	c := Case{Op: engine.Concat{Axis: axis}}
	for _, n := range sizes {
		s := shape.Clone()
		s[axis] = n
		c.In = append(c.In, g.values(s...))
	}
	return c
}

func sliceCase(g *source, shape engine.Shape, axis int, sizes []int) Case {
	s := shape.Clone()
	for _, n := range sizes {
		s[axis] += n
	}
	return Case{Op: engine.Slice{Axis: axis, Sizes: engine.IntsOf(sizes...)}, In: []Tensor{g.values(s...)}}
}
