package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Unary](func(g *source) []Case { return g.unaries(unaryCase) })
	register[engine.UnaryGrad](func(g *source) []Case { return g.unaries(unaryGradCase) })
}

// unaryOps are the functions with attributes that matter: common values, and
// those at which a function changes its kind.
var unaryOps = []engine.Unary{
	{Fn: engine.ReLU}, {Fn: engine.ReLU, A: 0.1}, {Fn: engine.ReLU, A: -0.5},
	{Fn: engine.Sigmoid}, {Fn: engine.TanH}, {Fn: engine.Abs},
	{Fn: engine.Power, A: 1, B: 2, C: 0.5}, {Fn: engine.Power, A: 2, B: -1, C: 0.25}, {Fn: engine.Power, A: -0.5, B: 0.5, C: 3},
	{Fn: engine.Power, A: 3, B: 0, C: 1.5}, {Fn: engine.Power, A: 0, B: 1, C: 1}, {Fn: engine.Power, A: 0.75, B: 0.3, C: 2},
	{Fn: engine.Exp, A: 1, B: 1}, {Fn: engine.Exp, A: -0.7, B: 2},
	{Fn: engine.Log, A: 1, B: 0.5, C: 3}, {Fn: engine.Log, A: 1.442695, B: -0.5, C: 4},
	{Fn: engine.Clip, A: -0.5, B: 1.5}, {Fn: engine.Clip, A: 0, B: 6},
	{Fn: engine.ELU, A: 1}, {Fn: engine.ELU, A: 0.3}, {Fn: engine.ELU, A: -0.2},
	{Fn: engine.BNLL}, {Fn: engine.Swish, A: 1}, {Fn: engine.Swish, A: 1.7},
	{Fn: engine.Threshold, A: 0.25},
}

func (g *source) unaries(make func(g *source, op engine.Unary, shape engine.Shape) Case) []Case {
	var list []Case
	for _, op := range unaryOps {
		for _, shape := range []engine.Shape{{2, 19, 5, 3}, {3, 16, 4, 4}, {7}, {}} {
			if c := make(g, op, shape); c.Op != nil {
				list = append(list, c)
			}
		}
	}
	return append(list, make(g, unaryOps[0], engine.Shape{2, 5, 61, 67}))
}

func unaryCase(g *source, op engine.Unary, shape engine.Shape) Case {
	x := g.uniform(-4, 4, shape...)
	special(x, 0, 100, -100)
	if op.Fn == engine.Log || op.Fn == engine.Power {
		x = g.uniform(-4, 4, shape...) // the base must stay positive
	}
	if op.Fn == engine.Exp {
		special(x, 0, 10, -10)
	}
	return Case{Op: op, In: []Tensor{x}}
}

// special replaces the first elements, as far as there are any besides one.
func special(t Tensor, v ...float32) {
	if len(t.Data) > len(v) {
		copy(t.Data, v)
	}
}

func unaryGradCase(g *source, op engine.Unary, shape engine.Shape) Case {
	if op.Fn == engine.Threshold {
		return Case{}
	}
	// What the gradient reads is x or, where it is y, in y's range.
	r := g.uniform(-4, 4, shape...)
	special(r, 0, 60, -60)
	switch op.Fn {
	case engine.Sigmoid:
		r = g.uniform(0, 1, shape...)
	case engine.TanH, engine.ELU:
		r = g.uniform(-1, 1, shape...)
	case engine.Log, engine.Power:
		r = g.uniform(-4, 4, shape...)
	case engine.Clip:
		special(r, op.A, op.B, 0)
	}
	return Case{Op: engine.UnaryGrad(op), In: []Tensor{g.values(shape...), r}}
}
