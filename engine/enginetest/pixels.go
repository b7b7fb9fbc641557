package enginetest

import "github.com/gocaffe/gocaffe/engine"

// exact is a tolerance that no difference is within: each of the op's roundings is prescribed.
const exact = 1e-30

func init() { register[engine.Pixels](pixelsCases) }

func pixelsCases(g *source) []Case {
	var list []Case
	for _, shape := range []engine.Shape{{1, 1, 1, 1}, {3, 1, 5, 7}, {4, 3, 6, 9}, {2, 4, 8, 8}, {5, 3, 33, 17}} {
		for _, scale := range []float32{1, 0.00390625, -0.3} {
			bytes := g.labels(0, 256, shape...)
			bytes.Bytes = true
			above, beside := g.IntN(4), g.IntN(4)
			for _, mean := range []engine.Shape{{shape[1]}, {shape[1], shape[2] + above, shape[3] + beside}} {
				in := []Tensor{bytes, g.windows(shape[0], above, beside), g.uniform(0, 255, mean...)}
				list = append(list, Case{Op: engine.Pixels{Scale: scale}, In: in, Tol: exact})
			}
		}
	}
	return list
}

// windows are the windows of n pictures that begin within so many rows and columns.
func (g *source) windows(n, above, beside int) Tensor {
	t := g.labels(0, 2, n, engine.WindowSize)
	for i := range n {
		t.Data[i*engine.WindowSize+engine.WindowTop] = float32(g.between(0, above))
		t.Data[i*engine.WindowSize+engine.WindowLeft] = float32(g.between(0, beside))
	}
	return t
}
