package plan

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// fuseNorms joins each BatchNorm with the multiplication by a factor a channel that
// follows it, in both directions at once. The rows of the table cannot: while the two
// are apart the factor's gradient reads what lies between them. In training
//
//	y, mean, var = BatchNorm(x)         z = y·s
//	ds = Σ dz·y    dy = dz·s    dx = BatchNormGrad(dy, x, mean, var)
//
// become BatchNormScale and BatchNormScaleGrad, which computes the gradients of the
// factor and of a shift that is added to z, from the sums that it needs anyway. The
// table then folds the shift and a ReLU into the one, the ReLU's gradient into the
// other.
func (p *program) fuseNorms() error {
	for i, s := range p.steps {
		if s == nil {
			continue
		}
		if _, ok := s.Op.(engine.BatchNorm); !ok {
			continue
		}
		if err := p.fuseNorm(i); err != nil {
			return err
		}
	}
	p.dropNil()
	return nil
}

// normSteps are the places of the steps around a BatchNorm; −1 for one that is not
// there.
type normSteps struct {
	norm, scale            int // forward
	grad, dy, dscale, dsum int // backward
}

// fuseNorm joins the steps around the BatchNorm at place i, if they are what
// fuseNorms is about and the device has the fused ops.
func (p *program) fuseNorm(i int) error {
	n, ok := p.normSteps(i)
	if !ok {
		return nil
	}
	norm, scale := p.steps[n.norm], p.steps[n.scale]
	forward := *norm
	forward.Op = engine.BatchNormScale{Eps: norm.Op.(engine.BatchNorm).Eps}
	forward.In = append(clip(norm.In), scale.In[1])
	forward.Out = append([]graph.Value{scale.Out[0]}, norm.Out[1:]...)
	if ok, err := p.can(&forward); !ok {
		return err
	}
	if n.grad >= 0 {
		backward := p.normGrad(n)
		if ok, err := p.can(backward); !ok {
			return err
		}
		p.steps[n.grad] = backward
		for _, j := range []int{n.dy, n.dscale, n.dsum} {
			if j >= 0 {
				p.steps[j] = nil
			}
		}
	}
	p.steps[n.norm], p.steps[n.scale] = &forward, nil
	return nil
}

// can reports whether the device prepares a step.
func (p *program) can(s *Step) (bool, error) {
	pin, pout := p.prefer(s.Op, p.descs(s.In), p.descs(s.Out))
	_, err := p.prepare(s.Op, pin, pout)
	if unsupported(err) {
		return false, nil
	}
	return err == nil, err
}

// normGrad is the fused gradient.
func (p *program) normGrad(n normSteps) *Step {
	s := *p.steps[n.grad]
	dy := p.steps[n.dy]
	s.Op = engine.BatchNormScaleGrad{Eps: s.Op.(engine.BatchNormGrad).Eps}
	s.In = append(append([]graph.Value{dy.In[0]}, s.In[1:]...), dy.In[1])
	s.Out = []graph.Value{s.Out[0], graph.None, graph.None}
	for k, j := range []int{n.dscale, n.dsum} {
		if j >= 0 {
			s.Out[1+k] = p.steps[j].Out[0]
		}
	}
	return &s
}

// normSteps finds the steps around the BatchNorm at place i. It says no where
// somebody else reads the normalised values, or reads a sum before the fused gradient
// makes it.
func (p *program) normSteps(i int) (normSteps, bool) {
	n := normSteps{norm: i, scale: -1, grad: -1, dy: -1, dscale: -1, dsum: -1}
	norm := p.steps[i]
	y := norm.Out[0]
	reads := 0
	for j, s := range p.steps {
		if s == nil {
			continue
		}
		switch op := s.Op.(type) {
		case engine.Broadcast:
			if s.In[0] == y && s.Dir == norm.Dir && byChannel(op) && p.isVector(s.In[1]) {
				n.scale = j
			}
		case engine.BroadcastGrad:
			if op == (engine.BroadcastGrad{Fn: engine.BroadcastMul, Axis: 1, Rank: 1}) && s.In[1] == y {
				n.dscale = j
			}
		case engine.BatchNormGrad:
			if len(norm.Out) > 1 && s.In[2] == norm.Out[1] {
				n.grad = j
			}
		}
		for _, v := range s.In {
			if v == y {
				reads++
			}
		}
	}
	if n.scale < 0 || reads != boolsTo(n.scale >= 0, n.dscale >= 0) || p.seen(y) {
		return n, false
	}
	return n, n.grad < 0 && n.dscale < 0 || p.backward(&n)
}

// backward finds the backward steps that go with n's gradient.
func (p *program) backward(n *normSteps) bool {
	if n.grad < 0 {
		return false
	}
	dy, factor := p.steps[n.grad].In[0], p.steps[n.scale].In[1]
	reads := 0
	for j, s := range p.steps {
		if s == nil {
			continue
		}
		for _, v := range s.In {
			if v == dy {
				reads++
			}
		}
		if op, ok := s.Op.(engine.Broadcast); ok && s.Out[0] == dy && byChannel(op) && s.In[1] == factor {
			n.dy = j
		}
	}
	if n.dy < 0 || reads != 1 || p.seen(dy) {
		return false
	}
	dz := p.steps[n.dy].In[0]
	if n.dscale >= 0 && (p.steps[n.dscale].In[0] != dz || p.readBefore(p.steps[n.dscale].Out[0], n.grad)) {
		return false
	}
	for j, s := range p.steps {
		if s == nil || s.Dir != p.steps[n.grad].Dir || s.In == nil {
			continue
		}
		if op, ok := s.Op.(engine.BroadcastGrad); ok && op == (engine.BroadcastGrad{Fn: engine.BroadcastAdd, Axis: 1, Rank: 1}) &&
			s.In[0] == dz && !p.readBefore(s.Out[0], n.grad) {
			n.dsum = j
		}
	}
	return true
}

// byChannel is a multiplication by the entries of a vector along the channels.
func byChannel(op engine.Broadcast) bool { return op.Fn == engine.BroadcastMul && op.Axis == 1 }

func (p *program) isVector(v graph.Value) bool { return len(p.desc(v).Shape) == 1 }

// seen reports whether a value must be there after the run, or is assigned.
func (p *program) seen(v graph.Value) bool {
	for _, a := range p.assigns {
		if a.Value == v {
			return true
		}
	}
	return p.values[v].keep
}

// readBefore reports whether a step before place i reads v.
func (p *program) readBefore(v graph.Value, i int) bool {
	for _, s := range p.steps[:i] {
		if s == nil {
			continue
		}
		for _, in := range s.In {
			if in == v {
				return true
			}
		}
	}
	return false
}

func boolsTo(list ...bool) int {
	n := 0
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}

// foldReLUGrad: the gradient of a ReLU, then that of a BatchNormScale.
func foldReLUGrad(_ *program, producer, consumer *Step, operand int) (engine.Op, []graph.Value, bool) {
	relu, isGrad := producer.Op.(engine.UnaryGrad)
	norm, isNorm := consumer.Op.(engine.BatchNormScaleGrad)
	if !isGrad || !isNorm || operand != 0 || relu.Fn != engine.ReLU || norm.Act != engine.ActNone {
		return nil, nil, false
	}
	norm.Act, norm.Slope = engine.ActReLU, relu.A
	in := append([]graph.Value{producer.In[0]}, consumer.In[1:]...)
	return norm, append(in, producer.In[1]), true
}
