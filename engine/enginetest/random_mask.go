package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() { register[engine.RandomMask](randomMaskCases) }

func randomMaskCases(g *source) []Case {
	var list []Case
	for _, shape := range []engine.Shape{{1}, {7}, {4, 4096}, {2, 3, 5, 7}} {
		for _, ratio := range []float32{0, 0.3, 0.5, 0.9} {
			op := engine.RandomMask{Ratio: ratio, Shape: engine.IntsOf(shape...)}
			list = append(list, Case{Op: op, In: []Tensor{g.labels(0, 1<<16, engine.SeedSize)}})
		}
	}
	return list
}
