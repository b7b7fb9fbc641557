package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.InfogainLoss](func(g *source) []Case { return g.infogainLosses(false) })
	register[engine.InfogainLossGrad](func(g *source) []Case { return g.infogainLosses(true) })
	gradients = append(gradients, infogainGradients)
}

func (g *source) infogainLosses(grad bool) []Case {
	var list []Case
	for _, s := range softmaxShapes {
		for _, norm := range normalizations {
			op := engine.InfogainLoss{Axis: s.axis, HasIgnore: g.coin(), Ignore: 255, Norm: norm}
			n := s.shape[s.axis]
			x, label, h := g.uniform(-5, 5, s.shape...), g.classLabels(s, op.HasIgnore, op.Ignore), g.uniform(0, 2, 1, 1, n, n)
			special(x, -300) // a probability of 0 costs −ln 1e-20
			c := Case{Op: op, In: []Tensor{x, label, h}}
			if grad {
				c = Case{Op: engine.InfogainLossGrad(op), In: []Tensor{g.uniform(0, 1, s.shape...), label, h, g.values()}}
			}
			list = append(list, c)
		}
	}
	return list
}

func infogainGradients(g *source) []gradient {
	x, h := g.values(3, 4, 2), g.uniform(0, 2, 4, 4)
	label := g.classLabels(softmaxShape{x.Shape, 1}, true, 9)
	op := engine.InfogainLoss{Axis: 1, HasIgnore: true, Ignore: 9, Norm: engine.NormValid}
	return []gradient{{op: op, in: []Tensor{x, label, h}, wrt: []wrt{{0, 0, func(dy Tensor, y []Tensor) Case {
		return Case{Op: engine.InfogainLossGrad(op), In: []Tensor{y[1], label, h, dy}}
	}}}}}
}
