package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.Reshape](reshapeCases)
	register[engine.Reorder](reorderCases)
	register[engine.Fill](fillCases)
}

func reshapeCases(g *source) []Case {
	var list []Case
	for _, z := range [][2]engine.Shape{{{2, 16, 5, 4}, {2, 320}}, {{6, 10}, {2, 3, 2, 5}}, {{1}, {}}, {{4, 1, 3}, {4, 3}}} {
		list = append(list, Case{Op: engine.Reshape{Shape: engine.IntsOf(z[1]...)}, In: []Tensor{g.values(z[0]...)}})
	}
	return list
}

// reorderCases copy between plain layouts; the other layouts are reordered to
// and from by every case that is run in them.
func reorderCases(g *source) []Case {
	var list []Case
	for _, s := range tensorShapes {
		list = append(list, Case{Op: engine.Reorder{}, In: []Tensor{g.values(s...)}})
	}
	return list
}

func fillCases(g *source) []Case {
	var list []Case
	for _, s := range tensorShapes {
		list = append(list, Case{Op: engine.Fill{Shape: engine.IntsOf(s...), Value: pick[float32](g, 0, 1, -0.1)}})
	}
	return list
}
