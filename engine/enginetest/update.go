package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() { register[engine.Update](updateCases) }

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
