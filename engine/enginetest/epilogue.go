package enginetest

import "github.com/gocaffe/gocaffe/engine"

// expect runs a case on ref. What an engine may fuse is run as the separate
// ops, so that ref's own fused kernels are checked too.
func (r *rig) expect(c *Case) (result, error) {
	op, ep := unfused(c.Op)
	extra := ep.Inputs()
	plain := *c
	plain.Op, plain.In = op, c.In[:len(c.In)-extra]
	res, err := r.once(&plain, mode{unread: -1})
	if err != nil || ep == (engine.Epilogue{}) {
		return res, err
	}
	y, err := r.finish(ep, plain, res.out[0], c.In[len(c.In)-extra:])
	res.out[0] = y.Data
	return res, err
}

// unfused takes an op apart into itself and its epilogue.
func unfused(op engine.Op) (engine.Op, engine.Epilogue) {
	var ep engine.Epilogue
	switch o := op.(type) {
	case engine.Conv:
		ep, o.Epilogue = o.Epilogue, ep
		return o, ep
	case engine.ConvGradData:
		ep, o.Epilogue = o.Epilogue, ep
		return o, ep
	case engine.Gemm:
		ep, o.Epilogue = o.Epilogue, ep
		return o, ep
	case engine.BatchNormScale:
		ep, o.Epilogue = o.Epilogue, ep
		return o, ep
	case engine.Sum:
		ep.Act, ep.Slope = o.Act, o.Slope
		o.Act, o.Slope = engine.ActNone, 0
		return o, ep
	}
	return op, ep
}

// finish applies an epilogue as separate ops. The channel axis is 1.
func (r *rig) finish(ep engine.Epilogue, c Case, y []float32, extra []Tensor) (Tensor, error) {
	out, err := c.Op.Infer(c.descs())
	if err != nil {
		return Tensor{}, err
	}
	t := Tensor{Shape: out[0].Shape, Data: y}
	if ep.Bias {
		if t, err = r.then(t, engine.Broadcast{Fn: engine.BroadcastAdd, Axis: 1}, extra[0]); err != nil {
			return t, err
		}
		extra = extra[1:]
	}
	if ep.Add {
		if t, err = r.then(t, engine.Sum{}, extra[0]); err != nil {
			return t, err
		}
	}
	switch ep.Act {
	case engine.ActReLU:
		return r.then(t, engine.Unary{Fn: engine.ReLU, A: ep.Slope})
	case engine.ActClip:
		return r.then(t, engine.Unary{Fn: engine.Clip, A: ep.Low, B: ep.High})
	}
	return t, nil
}

// then applies an op that keeps the shape.
func (r *rig) then(t Tensor, op engine.Op, more ...Tensor) (Tensor, error) {
	res, err := r.once(&Case{Op: op, In: append([]Tensor{t}, more...)}, mode{unread: -1})
	if err != nil {
		return t, err
	}
	return Tensor{Shape: t.Shape, Data: res.out[0]}, nil
}

// epilogue is a random epilogue and its inputs for an output of this shape.
func (g *source) epilogue(out engine.Shape, channels int) (engine.Epilogue, []Tensor) {
	ep := engine.Epilogue{Bias: g.coin(), Add: g.coin()}
	var in []Tensor
	if ep.Bias {
		in = append(in, g.values(channels))
	}
	if ep.Add {
		in = append(in, g.values(out...))
	}
	if g.coin() {
		ep.Act, ep.Slope = engine.ActReLU, pick[float32](g, 0, 0.25)
	}
	return ep, in
}
