package graph

import "github.com/gocaffe/gocaffe/engine"

// The rules of ops that layers of Caffe's forks are made of.
func init() {
	gradOf(func(d *differ, op engine.Permute, _ Node, dy []Value) []Value {
		return []Value{d.Op(op.Inverse(), dy[0])}
	})
	gradOf(func(d *differ, op engine.L2Norm, n Node, dy []Value) []Value {
		if dy[0] == None { // the norm passes no gradient on
			return []Value{None}
		}
		return []Value{d.Op(engine.L2NormGrad(op), dy[0], n.In[0], n.Out[1])}
	})
	gradOf(func(d *differ, op engine.SmoothL1, n Node, dy []Value) []Value {
		return []Value{d.Op(engine.SmoothL1Grad(op), dy[0], n.In[0])}
	})
	gradOf(func(d *differ, _ engine.Interp, n Node, dy []Value) []Value {
		x := d.Shape(n.In[0])
		return []Value{d.Op(engine.InterpGrad{H: x[2], W: x[3]}, dy[0])}
	})
	gradOf(func(d *differ, _ engine.Unpool, n Node, dy []Value) []Value {
		return []Value{d.Op(engine.UnpoolGrad{}, dy[0], n.In[1]), None}
	})
	gradOf(func(d *differ, _ engine.ROIPool, n Node, dy []Value) []Value {
		x := d.Shape(n.In[0])
		return []Value{d.Op(engine.ROIPoolGrad{N: x[0], Height: x[2], Width: x[3]}, dy[0], n.In[1], n.Out[1]), None}
	})
	gradOf(func(d *differ, op engine.PSROIPool, n Node, dy []Value) []Value {
		x := d.Shape(n.In[0])
		grad := engine.PSROIPoolGrad{Outputs: op.Outputs, Group: op.Group, Scale: op.Scale, N: x[0], Height: x[2], Width: x[3]}
		return []Value{d.Op(grad, dy[0], n.In[1]), None}
	})
	// The boxes that are matched, and what they are to learn, are given (SSD).
	gradOf(func(_ *differ, _ engine.MultiBoxMatch, _ Node, dy []Value) []Value {
		return []Value{dy[0], None, None, None}
	})
}
