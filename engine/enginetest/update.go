package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Update](updateCases)
	register[engine.UpdateAll](updateAllCases)
}

func updateCases(g *source) []Case {
	var list []Case
	for rule := engine.SGD; rule <= engine.Adam; rule++ {
		base := engine.Update{Rule: rule, Rate: 1, Momentum: 0.9, Momentum2: 0.999, RMSDecay: 0.98, Delta: 1e-3}
		decayed, l1 := base, base
		decayed.Decay, decayed.Rate, decayed.KeepStep = 0.05, 2, true
		l1.Decay, l1.L1, l1.Momentum = 0.05, true, 0
		for _, op := range []engine.Update{base, decayed, l1} {
			for _, s := range tensorShapes {
				list = append(list, g.update(op, s))
			}
		}
	}
	return list
}

// update is a case in which all histories are non-negative, as squares are.
func (g *source) update(op engine.Update, shape engine.Shape) Case {
	c := Case{Op: op, In: []Tensor{g.values(shape...), g.values(shape...)}, Alias: []int{0}, Tol: 1e-5}
	special(c.In[0], 0)
	for i := range op.Rule.Histories() {
		c.In = append(c.In, g.uniform(0, 1, shape...))
		c.Alias = append(c.Alias, 2+i)
	}
	hyper := Tensor{Shape: engine.Shape{engine.HyperSize}, Data: make([]float32, engine.HyperSize)}
	hyper.Data[engine.HyperRate] = 0.1
	hyper.Data[engine.HyperScale] = 0.5
	hyper.Data[engine.HyperCorrection] = 0.7
	hyper.Data[engine.HyperClip] = 0.25
	c.In = append(c.In, hyper)
	if op.KeepStep {
		c.Writes = []int{1}
	}
	return c
}

// updateAllCases join the updates of several params: few, more than a launch may hold,
// and of many weights.
func updateAllCases(g *source) []Case {
	shapes := append([]engine.Shape{{9001}, {3, 1, 5}, {4096}, {4097}}, tensorShapes...)
	many := make([]engine.Shape, 170)
	for i := range many {
		many[i] = engine.Shape{1 + i%7}
	}
	var list []Case
	for rule := engine.SGD; rule <= engine.Adam; rule++ {
		op := engine.Update{Rule: rule, Momentum: 0.9, Momentum2: 0.999, RMSDecay: 0.98, Delta: 1e-3, L1: rule == engine.Nesterov}
		list = append(list, g.updateAll(op, shapes))
		op.KeepStep = true
		list = append(list, g.updateAll(op, many))
	}
	return list
}

// updateAll is the case that joins cases of Update, whose tensors it takes.
func (g *source) updateAll(op engine.Update, shapes []engine.Shape) Case {
	ops := make([]engine.Update, len(shapes))
	ones := make([]Case, len(shapes))
	for i, s := range shapes {
		ops[i] = op
		ops[i].Rate, ops[i].Decay = float32(1+i%3), 0.05*float32(i%2)
		ones[i] = g.update(ops[i], s)
	}
	all, _ := engine.JoinUpdates(ops)
	c := Case{Op: all, Alias: all.Overwrites(), Tol: 1e-5}
	for k := range 2 + op.Rule.Histories() {
		for i := range ones {
			c.In = append(c.In, ones[i].In[k])
			if k == 1 && op.KeepStep {
				c.Writes = append(c.Writes, len(c.In)-1)
			}
		}
	}
	c.In = append(c.In, ones[0].In[2+op.Rule.Histories()])
	return c
}
