package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	gradients = append(gradients, convGradients, gemmGradients, unaryGradients, maxGradients, broadcastGradients,
		joinGradients, poolGradients, lrnGradients, preluGradients, reduceGradients, normGradients, lossGradients)
}

func convGradients(g *source) []gradient {
	var list []gradient
	for _, group := range []int{1, 2} {
		z, _ := newGeometry(2, 4, 6, group, []int{5, 6}, []int{3, 2}, []int{2, 1}, []int{1, 1}, []int{1, 2})
		data := convGradDataCase(g, z, false).Op.(engine.ConvGradData)
		weights := convGradWeightsCase(g, z, true).Op.(engine.ConvGradWeights)
		biased := z.op
		biased.Epilogue.Bias = true
		x, w := g.values(z.x...), g.values(z.w...)
		list = append(list, gradient{op: biased, in: []Tensor{x, w, g.values(z.w[0])}, wrt: []wrt{
			{0, 0, func(dy Tensor, _ []Tensor) Case { return Case{Op: data, In: []Tensor{dy, w}} }},
			{1, 0, func(dy Tensor, _ []Tensor) Case { return Case{Op: weights, In: []Tensor{x, dy}} }},
			{2, 1, func(dy Tensor, _ []Tensor) Case { return Case{Op: weights, In: []Tensor{x, dy}} }},
		}})
		// The same ops as a deconvolution.
		small := g.values(z.y...)
		plain := weights
		plain.Bias = false
		list = append(list, gradient{op: data, in: []Tensor{small, w}, wrt: []wrt{
			{0, 0, func(dy Tensor, _ []Tensor) Case { return Case{Op: z.op, In: []Tensor{dy, w}} }},
			{1, 0, func(dy Tensor, _ []Tensor) Case { return Case{Op: plain, In: []Tensor{dy, small}} }},
		}})
	}
	return list
}

func gemmGradients(g *source) []gradient {
	a, b := g.values(3, 4), g.values(4, 5)
	return []gradient{{op: engine.Gemm{}, in: []Tensor{a, b}, wrt: []wrt{
		{0, 0, func(dy Tensor, _ []Tensor) Case { return Case{Op: engine.Gemm{TransB: true}, In: []Tensor{dy, b}} }},
		{1, 0, func(dy Tensor, _ []Tensor) Case { return Case{Op: engine.Gemm{TransA: true}, In: []Tensor{a, dy}} }},
	}}}
}

func unaryGradients(g *source) []gradient {
	var list []gradient
	for _, op := range unaryOps {
		if op.Fn == engine.Threshold {
			continue
		}
		x := g.apart(11) // Clip's bounds in unaryOps are kinks too
		for i, v := range x.Data {
			if op.Fn == engine.Clip && v < 0 {
				x.Data[i] = v * 0.3
			}
		}
		grad := engine.UnaryGrad(op)
		list = append(list, gradient{op: op, in: []Tensor{x}, wrt: []wrt{{0, 0, func(dy Tensor, y []Tensor) Case {
			if op.GradReadsOutput() {
				return Case{Op: grad, In: []Tensor{dy, y[0]}}
			}
			return Case{Op: grad, In: []Tensor{dy, x}}
		}}}})
	}
	return list
}

func maxGradients(g *source) []gradient {
	both := g.distinct(20)
	a, b := Tensor{Shape: engine.Shape{10}, Data: both.Data[:10]}, Tensor{Shape: engine.Shape{10}, Data: both.Data[10:]}
	grad := func(dy Tensor, _ []Tensor) Case { return Case{Op: engine.MaxGrad{}, In: []Tensor{dy, a, b}} }
	return []gradient{{op: engine.Binary{Fn: engine.Max}, in: []Tensor{a, b}, wrt: []wrt{{0, 0, grad}, {1, 1, grad}}}}
}

func broadcastGradients(g *source) []gradient {
	x, s := g.values(2, 3, 2, 2), g.values(3, 2)
	mul := func(dy Tensor, _ []Tensor) Case {
		return Case{Op: engine.BroadcastGrad{Fn: engine.BroadcastMul, Axis: 1, Rank: 2}, In: []Tensor{dy, x}}
	}
	add := func(dy Tensor, _ []Tensor) Case {
		return Case{Op: engine.BroadcastGrad{Fn: engine.BroadcastAdd, Axis: 1, Rank: 2}, In: []Tensor{dy}}
	}
	scale := engine.Broadcast{Fn: engine.BroadcastMul, Axis: 1}
	return []gradient{
		{op: scale, in: []Tensor{x, s}, wrt: []wrt{
			{0, 0, func(dy Tensor, _ []Tensor) Case { return Case{Op: scale, In: []Tensor{dy, s}} }}, {1, 0, mul},
		}},
		{op: engine.Broadcast{Fn: engine.BroadcastAdd, Axis: 1}, in: []Tensor{x, s}, wrt: []wrt{{1, 0, add}}},
	}
}

func joinGradients(g *source) []gradient {
	cut := func(dy Tensor, _ []Tensor) Case {
		return Case{Op: engine.Slice{Axis: 1, Sizes: engine.IntsOf(1, 3)}, In: []Tensor{dy}}
	}
	return []gradient{{op: engine.Concat{Axis: 1}, in: []Tensor{g.values(2, 1, 3), g.values(2, 3, 3)}, wrt: []wrt{{0, 0, cut}, {1, 1, cut}}}}
}

func poolGradients(g *source) []gradient {
	var list []gradient
	for _, m := range []engine.PoolMethod{engine.MaxPool, engine.AvePool} {
		p := newPooling(m, engine.Shape{1, 2, 6, 5}, []int{3, 2}, []int{2, 2}, []int{1, 0}, true)
		x := g.distinct(p.x...)
		op := engine.PoolGrad{Method: m, Kernel: p.op.Kernel, Stride: p.op.Stride, Pad: p.op.Pad, Out: p.op.Out, Size: engine.IntsOf(p.x[2:]...)}
		list = append(list, gradient{op: p.op, in: []Tensor{x}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
			c := Case{Op: op, In: []Tensor{dy}}
			if m == engine.MaxPool {
				c.In = append(c.In, Tensor{Shape: dy.Shape})
				c.From = map[int]Source{1: {Op: p.op, In: []Tensor{x}, Out: 1}}
			}
			return c
		}}}})
	}
	return list
}

func lrnGradients(g *source) []gradient {
	var list []gradient
	for _, op := range lrnOps {
		x := g.values(2, 7, 1, 2)
		grad := engine.LRNGrad(op)
		list = append(list, gradient{op: op, in: []Tensor{x}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
			return Case{Op: grad, In: []Tensor{dy, x}}
		}}}})
	}
	return list
}

func preluGradients(g *source) []gradient {
	var list []gradient
	for _, n := range []int{1, 3} {
		x, slope := g.apart(2, 3, 4), g.values(n)
		grad := func(dy Tensor, _ []Tensor) Case { return Case{Op: engine.PReLUGrad{}, In: []Tensor{dy, x, slope}} }
		list = append(list, gradient{op: engine.PReLU{}, in: []Tensor{x, slope}, wrt: []wrt{{0, 0, grad}, {1, 1, grad}}})
	}
	return list
}

func reduceGradients(g *source) []gradient {
	var list []gradient
	for _, fn := range []engine.ReduceFn{engine.ReduceSum, engine.ReduceASum, engine.ReduceSumSq} {
		x := g.apart(2, 3, 4)
		grad := engine.ReduceGrad{Fn: fn, Axis: 1, Coeff: 0.5}
		list = append(list, gradient{op: engine.Reduce{Fn: fn, Axis: 1, Coeff: 0.5}, in: []Tensor{x}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
			return Case{Op: grad, In: []Tensor{dy, x}}
		}}}})
	}
	return list
}

func normGradients(g *source) []gradient {
	x, mean, variance := g.values(3, 2, 4), g.values(2), g.uniform(0.5, 2, 2)
	scale, shift := g.values(2), g.values(2)
	scaled := func(dy Tensor, y []Tensor) Case {
		return Case{Op: engine.BatchNormScaleGrad{Eps: 0.01}, In: []Tensor{dy, x, y[1], y[2], scale}}
	}
	return []gradient{
		{op: engine.BatchNormScale{Eps: 0.01, Epilogue: engine.Epilogue{Bias: true}}, in: []Tensor{x, scale, shift},
			wrt: []wrt{{0, 0, scaled}, {1, 1, scaled}, {2, 2, scaled}}},
		{op: engine.BatchNorm{Eps: 0.01}, in: []Tensor{x}, wrt: []wrt{{0, 0, func(dy Tensor, y []Tensor) Case {
			return Case{Op: engine.BatchNormGrad{Eps: 0.01}, In: []Tensor{dy, x, y[1], y[2]}}
		}}}},
		{op: engine.Normalize{Eps: 0.01}, in: []Tensor{x, mean, variance}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
			return Case{Op: engine.NormalizeGrad{Eps: 0.01}, In: []Tensor{dy, variance}}
		}}}},
		{op: engine.Softmax{Axis: 1}, in: []Tensor{x}, wrt: []wrt{{0, 0, func(dy Tensor, y []Tensor) Case {
			return Case{Op: engine.SoftmaxGrad{Axis: 1}, In: []Tensor{dy, y[0]}}
		}}}},
	}
}

func lossGradients(g *source) []gradient {
	var list []gradient
	for _, norm := range normalizations {
		x := g.values(3, 4, 2)
		label := g.classLabels(softmaxShape{x.Shape, 1}, true, 9)
		op := engine.SoftmaxLoss{Axis: 1, HasIgnore: true, Ignore: 9, Norm: norm}
		list = append(list, gradient{op: op, in: []Tensor{x, label}, wrt: []wrt{{0, 0, func(dy Tensor, y []Tensor) Case {
			return Case{Op: engine.SoftmaxLossGrad(op), In: []Tensor{y[1], label, dy}}
		}}}})
		v, target := g.values(3, 4), g.labels(-1, 2, 3, 4)
		sig := engine.SigmoidLoss{HasIgnore: true, Ignore: -1, Norm: norm}
		list = append(list, gradient{op: sig, in: []Tensor{v, target}, wrt: []wrt{{0, 0, func(dy Tensor, _ []Tensor) Case {
			return Case{Op: engine.SigmoidLossGrad(sig), In: []Tensor{v, target, dy}}
		}}}})
	}
	return list
}
