package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() { register[engine.Gemm](gemmCases) }

func gemmCases(g *source) []Case {
	var list []Case
	for i := range 24 {
		m, n, k := g.between(1, 40), g.between(1, 70), g.between(1, 90)
		if i%4 == 0 {
			m = 1
		}
		list = append(list, g.gemm(engine.Gemm{TransA: i&1 != 0, TransB: i&2 != 0}, m, n, k, i >= 8))
	}
	return append(list, g.gemm(engine.Gemm{TransB: true}, 64, 130, 257, false), g.gemm(engine.Gemm{}, 1, 1, 1, true))
}

// gemm is a case of the given sizes.
func (g *source) gemm(op engine.Gemm, m, n, k int, withEpilogue bool) Case {
	a, b := g.values(m, k), g.values(k, n)
	if op.TransA {
		a.Shape = engine.Shape{k, m}
	}
	if op.TransB {
		b.Shape = engine.Shape{n, k}
	}
	in := []Tensor{a, b}
	if withEpilogue {
		var extra []Tensor
		op.Epilogue, extra = g.epilogue(engine.Shape{m, n}, n)
		in = append(in, extra...)
	}
	return Case{Op: op, In: in}
}
