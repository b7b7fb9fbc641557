package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Broadcast](func(g *source) []Case { return g.broadcasts(broadcastCase) })
	register[engine.BroadcastGrad](func(g *source) []Case { return g.broadcasts(broadcastGradCase) })
}

// broadcasts makes cases of both functions for shapes and the axes that s has:
// a channel, the whole, an inner or an outer part, none.
func (g *source) broadcasts(make func(g *source, fn engine.BroadcastFn, x engine.Shape, axis, rank int) Case) []Case {
	var list []Case
	for _, fn := range []engine.BroadcastFn{engine.BroadcastMul, engine.BroadcastAdd} {
		for _, z := range []struct {
			x          engine.Shape
			axis, rank int
		}{
			{engine.Shape{2, 16, 5, 4}, 1, 1}, {engine.Shape{3, 19, 7, 7}, 1, 1}, {engine.Shape{6, 10}, 1, 1},
			{engine.Shape{2, 3, 4, 5}, 0, 4}, {engine.Shape{2, 3, 4, 5}, 2, 2}, {engine.Shape{2, 3, 4, 5}, 0, 2},
			{engine.Shape{2, 3, 4, 5}, 3, 1}, {engine.Shape{2, 3, 4, 5}, 1, 0}, {engine.Shape{2, 3, 4, 5}, 0, 1},
			{engine.Shape{7}, 0, 1}, {engine.Shape{7}, 0, 0}, {engine.Shape{2, 3, 2, 2, 3}, 1, 2}, {engine.Shape{}, 0, 0},
		} {
			list = append(list, make(g, fn, z.x, z.axis, z.rank))
		}
	}
	return list
}

func broadcastCase(g *source, fn engine.BroadcastFn, x engine.Shape, axis, rank int) Case {
	return Case{Op: engine.Broadcast{Fn: fn, Axis: axis}, In: []Tensor{g.values(x...), g.values(x[axis : axis+rank]...)}}
}

func broadcastGradCase(g *source, fn engine.BroadcastFn, x engine.Shape, axis, rank int) Case {
	c := Case{Op: engine.BroadcastGrad{Fn: fn, Axis: axis, Rank: rank}, In: []Tensor{g.values(x...)}}
	if fn == engine.BroadcastMul {
		c.In = append(c.In, g.values(x...))
	}
	return c
}
