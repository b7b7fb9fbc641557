package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.PReLU](func(g *source) []Case { return g.prelus(false) })
	register[engine.PReLUGrad](func(g *source) []Case { return g.prelus(true) })
}

func (g *source) prelus(grad bool) []Case {
	var list []Case
	for _, s := range channelShapes {
		for _, slope := range []engine.Shape{{s[1]}, {1}, {}} {
			c := Case{Op: engine.PReLU{}, In: []Tensor{g.values(s...), g.values(slope...)}}
			special(c.In[0], 0)
			if grad {
				c.Op, c.In = engine.PReLUGrad{}, append([]Tensor{g.values(s...)}, c.In...)
			}
			list = append(list, c)
		}
	}
	return list
}
