package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Margin](func(g *source) []Case { return g.margins(false) })
	register[engine.MarginGrad](func(g *source) []Case { return g.margins(true) })
}

func (g *source) margins(grad bool) []Case {
	var list []Case
	for times := 2; times <= 4; times++ {
		const rows, classes = 12, 5
		norm, lambda := g.uniform(1, 3, rows), g.uniform(0, 4)
		norm.Data[3] = 0
		op, in := engine.Margin{Times: times}, []Tensor{g.values(rows, classes), norm, g.labels(0, classes, rows), lambda}
		c := Case{Op: op, In: in}
		if grad {
			c = Case{Op: engine.MarginGrad(op), In: append([]Tensor{g.values(rows, classes)}, in...)}
		}
		list = append(list, c)
	}
	return list
}
