package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.BatchNorm](batchNormCases)
	register[engine.BatchNormGrad](batchNormGradCases)
	register[engine.Normalize](normalizeCases)
	register[engine.NormalizeGrad](normalizeGradCases)
	register[engine.MovingStats](movingStatsCases)
	register[engine.MovingUpdate](movingUpdateCases)
}

// channelShapes have the channels at axis 1.
var channelShapes = []engine.Shape{{4, 3}, {2, 16, 5, 4}, {3, 19, 7, 7}, {1, 8, 6, 6}, {2, 5, 11}, {2, 4, 3, 2, 5}, {1, 32, 1, 1}}

// shifted is a tensor whose mean is far from 0 in units of its deviation.
func (g *source) shifted(shape ...int) Tensor { return g.uniform(1.5, 3, shape...) }

func batchNormCases(g *source) []Case {
	var list []Case
	for _, s := range channelShapes {
		for _, eps := range []float32{1e-5, 0.1} {
			list = append(list, Case{Op: engine.BatchNorm{Eps: eps}, In: []Tensor{g.shifted(s...)}, Tol: 1e-3})
		}
	}
	return list
}

// batchNormGradCases take mean and variance as given, like a device that saved
// them; they need not be x's own.
func batchNormGradCases(g *source) []Case {
	var list []Case
	for _, s := range channelShapes {
		in := []Tensor{g.values(s...), g.shifted(s...), g.uniform(2, 2.5, s[1]), g.uniform(0.2, 2, s[1])}
		list = append(list, Case{Op: engine.BatchNormGrad{Eps: 1e-5}, In: in})
	}
	return list
}

func normalizeCases(g *source) []Case {
	var list []Case
	for _, s := range channelShapes {
		in := []Tensor{g.shifted(s...), g.values(s[1]), g.uniform(0, 2, s[1])}
		list = append(list, Case{Op: engine.Normalize{Eps: 0.01}, In: in})
	}
	return list
}

func normalizeGradCases(g *source) []Case {
	var list []Case
	for _, s := range channelShapes {
		list = append(list, Case{Op: engine.NormalizeGrad{Eps: 0.01}, In: []Tensor{g.values(s...), g.uniform(0, 2, s[1])}})
	}
	return list
}

func movingStatsCases(g *source) []Case {
	var list []Case
	for _, factor := range []float64{0, 0.5, 1, 700} {
		list = append(list, Case{Op: engine.MovingStats{}, In: []Tensor{g.values(19), g.uniform(0, 2, 19), g.uniform(factor, factor, 1)}})
	}
	return list
}

func movingUpdateCases(g *source) []Case {
	var list []Case
	for _, count := range []int{1, 2, 1000} {
		in := []Tensor{g.values(19), g.uniform(0, 2, 19), g.uniform(0, 1000, 1), g.values(19), g.uniform(0, 2, 19)}
		op := engine.MovingUpdate{Fraction: 0.999, Count: count}
		list = append(list, Case{Op: op, In: in}, Case{Op: op, In: in, Alias: []int{0, 1, 2}})
	}
	return list
}
