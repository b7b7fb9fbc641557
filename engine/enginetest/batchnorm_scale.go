package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.BatchNormScale](batchNormScaleCases)
	register[engine.BatchNormScaleGrad](batchNormScaleGradCases)
}

// manyChannels lets several threads have channels of their own, in planes of more than
// one run of a sum.
var manyChannels = []engine.Shape{{3, 128, 21, 17}, {2, 67, 3, 5}, {5, 24, 30, 29}}

func batchNormScaleCases(g *source) []Case {
	var list []Case
	for _, s := range append(manyChannels, channelShapes...) {
		for range 3 {
			op := engine.BatchNormScale{Eps: pick[float32](g, 1e-5, 0.1)}
			in := []Tensor{g.shifted(s...), g.values(s[1])}
			var extra []Tensor
			op.Epilogue, extra = g.epilogue(s, s[1])
			list = append(list, Case{Op: op, In: append(in, extra...), Tol: 1e-3})
		}
	}
	return list
}

func batchNormScaleGradCases(g *source) []Case {
	var list []Case
	for _, s := range append(manyChannels, channelShapes...) {
		for _, act := range []engine.Act{engine.ActNone, engine.ActReLU} {
			in := []Tensor{g.values(s...), g.shifted(s...), g.uniform(2, 2.5, s[1]), g.uniform(0.2, 2, s[1]), g.values(s[1])}
			op := engine.BatchNormScaleGrad{Eps: 1e-5, Act: act}
			if act != engine.ActNone {
				op.Slope = pick[float32](g, 0, 0.25)
				in = append(in, g.values(s...))
			}
			list = append(list, Case{Op: op, In: in, Tol: 1e-3})
		}
	}
	return list
}
