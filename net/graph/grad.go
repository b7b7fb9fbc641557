package graph

import (
	"reflect"

	"github.com/gocaffe/gocaffe/engine"
)

// A rule gives the gradient of each input of a node from those of its outputs
// (None for zero). It may leave out what d.needs says nobody wants.
type rule func(d *differ, n Node, dy []Value) []Value

// rules is every op's gradient, once. An op without a row is not differentiable.
var rules = map[reflect.Type]rule{}

// gradOf enters the rule of an op type.
func gradOf[T engine.Op](f func(d *differ, op T, n Node, dy []Value) []Value) {
	rules[reflect.TypeFor[T]()] = func(d *differ, n Node, dy []Value) []Value { return f(d, n.Op.(T), n, dy) }
}

// ruleOf is the rule of an op, nil where it has no gradient.
func ruleOf(op engine.Op) rule {
	if u, ok := op.(engine.Unary); ok && u.Fn == engine.Threshold {
		return nil
	}
	return rules[reflect.TypeOf(op)]
}

// want builds a gradient only where somebody needs it.
func (d *differ) want(v Value, build func() Value) Value {
	if !d.needs[v] {
		return None
	}
	return build()
}

// Convolutions.
func init() {
	gradOf(func(d *differ, op engine.Conv, n Node, dy []Value) []Value {
		x, w := n.In[0], n.In[1]
		return []Value{
			d.want(x, func() Value {
				return d.Op(engine.ConvGradData{Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Dilation: op.Dilation,
					Group: op.Group, Size: engine.IntsOf(d.Shape(x)[2:]...)}, dy[0], w)
			}),
			d.want(w, func() Value {
				return d.Op(engine.ConvGradWeights{Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Dilation: op.Dilation,
					Group: op.Group}, x, dy[0])
			}),
		}
	})
	// A deconvolution: its output has the role of the convolution's input.
	gradOf(func(d *differ, op engine.ConvGradData, n Node, dy []Value) []Value {
		x, w := n.In[0], n.In[1]
		return []Value{
			d.want(x, func() Value { return d.Op(op.Forward(), dy[0], w) }),
			d.want(w, func() Value {
				return d.Op(engine.ConvGradWeights{Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Dilation: op.Dilation,
					Group: op.Group}, dy[0], x)
			}),
		}
	})
}

// Products and elementwise functions.
func init() {
	gradOf(gradGemm)
	gradOf(func(d *differ, op engine.Unary, n Node, dy []Value) []Value {
		ref := n.In[0]
		if op.GradReadsOutput() {
			ref = n.Out[0]
		}
		return []Value{d.Op(engine.UnaryGrad(op), dy[0], ref)}
	})
	gradOf(gradBinary)
	gradOf(func(d *differ, op engine.Sum, n Node, dy []Value) []Value {
		coeff := op.Coeff.List()
		out := make([]Value, len(n.In))
		for i, v := range n.In {
			out[i] = d.want(v, func() Value {
				if len(coeff) == 0 {
					return dy[0]
				}
				return d.Scaled(dy[0], coeff[i])
			})
		}
		return out
	})
	gradOf(gradBroadcast)
	gradOf(func(d *differ, _ engine.PReLU, n Node, dy []Value) []Value {
		return append(d.Ops(engine.PReLUGrad{}, dy[0], n.In[0], n.In[1]), None)[:2]
	})
}

// Pooling and normalisation.
func init() {
	gradOf(func(d *differ, op engine.Pool, n Node, dy []Value) []Value {
		if dy[0] == None { // only the mask is used further on, and has no gradient
			return []Value{None}
		}
		in := []Value{dy[0]}
		if op.Method == engine.MaxPool {
			in = append(in, n.Out[1])
		}
		return []Value{d.Op(engine.PoolGrad{Method: op.Method, Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Out: op.Out,
			Mask: op.Mask, Size: engine.IntsOf(d.Shape(n.In[0])[2:]...)}, in...)}
	})
	gradOf(func(d *differ, op engine.LRN, n Node, dy []Value) []Value {
		return []Value{d.Op(engine.LRNGrad(op), dy[0], n.In[0])}
	})
	gradOf(func(d *differ, op engine.BatchNorm, n Node, dy []Value) []Value {
		return []Value{d.Op(engine.BatchNormGrad(op), dy[0], n.In[0], n.Out[1], n.Out[2])}
	})
	// The statistics are constants: Caffe gives them no gradient.
	gradOf(func(d *differ, op engine.Normalize, n Node, dy []Value) []Value {
		return []Value{d.Op(engine.NormalizeGrad(op), dy[0], n.In[2]), None, None}
	})
	gradOf(func(d *differ, op engine.Softmax, n Node, dy []Value) []Value {
		return []Value{d.Op(engine.SoftmaxGrad(op), dy[0], n.Out[0])}
	})
}

// Losses and reductions.
func init() {
	// Labels and targets get no gradient, nor do the probabilities pass one on.
	gradOf(func(d *differ, op engine.SoftmaxLoss, n Node, dy []Value) []Value {
		if dy[0] == None {
			return []Value{None, None}
		}
		return []Value{d.Op(engine.SoftmaxLossGrad(op), n.Out[1], n.In[1], dy[0]), None}
	})
	gradOf(func(d *differ, op engine.SigmoidLoss, n Node, dy []Value) []Value {
		return []Value{d.Op(engine.SigmoidLossGrad(op), n.In[0], n.In[1], dy[0]), None}
	})
	gradOf(func(d *differ, op engine.InfogainLoss, n Node, dy []Value) []Value {
		if dy[0] == None {
			return []Value{None, None, None}
		}
		return []Value{d.Op(engine.InfogainLossGrad(op), n.Out[1], n.In[1], n.In[2], dy[0]), None, None}
	})
	gradOf(func(_ *differ, _ engine.Nonzero, _ Node, _ []Value) []Value { return []Value{None} })
	gradOf(func(_ *differ, _ engine.RandomMask, _ Node, _ []Value) []Value { return []Value{None} })
	gradOf(func(_ *differ, _ engine.Pixels, _ Node, _ []Value) []Value { return []Value{None, None, None} })
	gradOf(func(_ *differ, _ engine.OneHot, _ Node, _ []Value) []Value { return []Value{None} })
	gradOf(func(d *differ, _ engine.Gather, n Node, dy []Value) []Value {
		return []Value{d.want(n.In[0], func() Value {
			return d.Op(engine.GatherGrad{Rows: d.Shape(n.In[0])[0]}, dy[0], n.In[1])
		}), None}
	})
	gradOf(func(d *differ, op engine.Im2col, n Node, dy []Value) []Value {
		return []Value{d.Op(engine.Col2im{Kernel: op.Kernel, Stride: op.Stride, Pad: op.Pad, Dilation: op.Dilation,
			Size: engine.IntsOf(d.Shape(n.In[0])[2:]...)}, dy[0])}
	})
	gradOf(func(d *differ, op engine.Reduce, n Node, dy []Value) []Value {
		return []Value{d.Op(engine.ReduceGrad(op), dy[0], n.In[0])}
	})
}

// Shapes.
func init() {
	gradOf(func(d *differ, op engine.Concat, n Node, dy []Value) []Value {
		sizes := make([]int, len(n.In))
		for i, v := range n.In {
			sizes[i] = d.Shape(v)[op.Axis]
		}
		return d.Ops(engine.Slice{Axis: op.Axis, Sizes: engine.IntsOf(sizes...)}, dy[0])
	})
	gradOf(func(d *differ, op engine.Slice, n Node, dy []Value) []Value {
		parts := make([]Value, len(dy))
		for i, v := range dy {
			if parts[i] = v; v == None {
				parts[i] = d.Const(0, d.Shape(n.Out[i])...)
			}
		}
		return []Value{d.Op(engine.Concat{Axis: op.Axis}, parts...)}
	})
	gradOf(func(d *differ, _ engine.Reshape, n Node, dy []Value) []Value {
		return []Value{d.Reshape(dy[0], d.Shape(n.In[0])...)}
	})
}

// gradGemm: with C = A·B, dA = dC·Bᵀ and dB = Aᵀ·dC, transposed where the
// operand was.
func gradGemm(d *differ, op engine.Gemm, n Node, dy []Value) []Value {
	a, b, dc := n.In[0], n.In[1], dy[0]
	return []Value{
		d.want(a, func() Value {
			if op.TransA {
				return d.Op(engine.Gemm{TransA: op.TransB, TransB: true}, b, dc)
			}
			return d.Op(engine.Gemm{TransB: !op.TransB}, dc, b)
		}),
		d.want(b, func() Value {
			if op.TransB {
				return d.Op(engine.Gemm{TransA: true, TransB: op.TransA}, dc, a)
			}
			return d.Op(engine.Gemm{TransA: !op.TransA}, a, dc)
		}),
	}
}

func gradBinary(d *differ, op engine.Binary, n Node, dy []Value) []Value {
	a, b := n.In[0], n.In[1]
	if op.Fn == engine.Max {
		return append(d.Ops(engine.MaxGrad{TieSecond: op.TieSecond}, dy[0], a, b), None, None)[:2]
	}
	mul := engine.Binary{Fn: engine.Mul}
	return []Value{
		d.want(a, func() Value { return d.Op(mul, dy[0], b) }),
		d.want(b, func() Value { return d.Op(mul, dy[0], a) }),
	}
}

func gradBroadcast(d *differ, op engine.Broadcast, n Node, dy []Value) []Value {
	x, s := n.In[0], n.In[1]
	sum := engine.BroadcastGrad{Fn: op.Fn, Axis: op.Axis, Rank: len(d.Shape(s))}
	if op.Fn == engine.BroadcastAdd {
		return []Value{dy[0], d.want(s, func() Value { return d.Op(sum, dy[0]) })}
	}
	return []Value{
		d.want(x, func() Value { return d.Op(op, dy[0], s) }),
		d.want(s, func() Value { return d.Op(sum, dy[0], x) }),
	}
}
