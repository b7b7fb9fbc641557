package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() { register[engine.OneHot](oneHotCases) }

func oneHotCases(g *source) []Case {
	var list []Case
	for _, shape := range []engine.Shape{{5}, {3, 2}, {}, {64, 1, 1}} {
		classes := g.between(1, 12)
		list = append(list, Case{Op: engine.OneHot{Classes: classes, On: -1, Off: 1}, In: []Tensor{g.labels(0, classes, shape...)}})
	}
	return list
}
