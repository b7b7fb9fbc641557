package plan

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// fusion is one row: fold tries to make one op of a producer and the step that
// reads its output; operand is the index of that output among the consumer's
// inputs. It gives the fused op and its inputs, or ok = false.
type fusion struct {
	name string
	fold func(p *program, producer, consumer *Step, operand int) (op engine.Op, in []graph.Value, ok bool)
}

// fusions lists what may be folded into what. A row applies when the producer's
// only output that anyone reads is read once, by the consumer, and the device
// prepares the result; otherwise the steps stay as they were.
var fusions = []fusion{
	{"bias", foldBias},
	{"add", foldAdd},
	{"relu", foldReLU},
	{"clip", foldClip},
	{"sum+relu", foldSumReLU},
	{"relu gradient", foldReLUGrad},
}

// fuse applies the table until nothing changes, then joins gradients.
func fuse(p *program) error {
	if p.opts.NoFuse {
		return nil
	}
	if err := p.foldNorms(); err != nil {
		return err
	}
	if err := p.fuseNorms(); err != nil {
		return err
	}
	for {
		changed, err := p.fuseOnce()
		if err != nil {
			return err
		}
		if !changed {
			break
		}
	}
	return p.fuseBiasGrad()
}

func (p *program) fuseOnce() (bool, error) {
	readers := p.readers()
	maker := map[graph.Value]int{}
	changed := false
	for i, s := range p.steps {
		if s == nil {
			continue
		}
		for operand, v := range s.In {
			j, ok := maker[v]
			if !ok || !fusable(p.steps[j], s, v, readers) {
				continue
			}
			up := len(p.steps[j].Out) > 1
			if up && !madeBefore(s.In, v, maker, j) {
				continue
			}
			fused, err := p.tryFuse(p.steps[j], s, operand)
			if err != nil {
				return false, err
			}
			if fused {
				if p.steps[j] = nil; up {
					p.steps[j], p.steps[i] = s, nil
					i = j
				}
				changed = true
				break
			}
		}
		for _, v := range s.Out {
			if v != graph.None {
				maker[v] = i
			}
		}
	}
	p.dropNil()
	return changed, nil
}

// dropNil removes the places of steps that were folded into others.
func (p *program) dropNil() {
	kept := p.steps[:0]
	for _, s := range p.steps {
		if s != nil {
			kept = append(kept, s)
		}
	}
	p.steps = kept
}

// fusable is the legality that every row shares: nobody but the consumer sees
// what lies between the two. Producer and consumer run in the same direction,
// and moving the producer down to the consumer is always sound, since a value
// is assigned once and params change only in the update. A producer with more
// outputs, whose readers may come between the two, stays where it is: the consumer
// moves up to it, if its other inputs are made before (madeBefore).
func fusable(producer, consumer *Step, v graph.Value, readers []int) bool {
	return producer != nil && producer.Dir == consumer.Dir && producer.Out[0] == v && readers[v] == 1 &&
		(len(producer.Out) == 1 || len(consumer.Out) == 1)
}

// madeBefore reports whether all inputs but v are there when step at runs.
func madeBefore(in []graph.Value, v graph.Value, maker map[graph.Value]int, at int) bool {
	for _, other := range in {
		if made, ok := maker[other]; ok && other != v && made >= at {
			return false
		}
	}
	return true
}

// tryFuse rewrites the consumer where a row matches and the device can.
func (p *program) tryFuse(producer, consumer *Step, operand int) (bool, error) {
	for _, f := range fusions {
		op, in, ok := f.fold(p, producer, consumer, operand)
		if !ok {
			continue
		}
		// The time is the producer's: a convolution with a ReLU is a convolution.
		fused := *consumer
		fused.Op, fused.In, fused.Layer = op, in, producer.Layer
		if len(producer.Out) > 1 {
			fused.Out = append(clip(consumer.Out), producer.Out[1:]...)
		}
		ok, err := p.can(&fused)
		if err != nil {
			return false, err
		}
		if ok {
			*consumer = fused
			return true, nil
		}
	}
	return false, nil
}

// epilogueOf gives an op's epilogue and a way to set it.
func epilogueOf(op engine.Op) (e engine.Epilogue, with func(engine.Epilogue) engine.Op, ok bool) {
	switch op := op.(type) {
	case engine.Conv:
		return op.Epilogue, func(e engine.Epilogue) engine.Op { op.Epilogue = e; return op }, true
	case engine.ConvGradData:
		return op.Epilogue, func(e engine.Epilogue) engine.Op { op.Epilogue = e; return op }, true
	case engine.Gemm:
		return op.Epilogue, func(e engine.Epilogue) engine.Op { op.Epilogue = e; return op }, true
	case engine.BatchNormScale:
		return op.Epilogue, func(e engine.Epilogue) engine.Op { op.Epilogue = e; return op }, true
	}
	return e, nil, false
}

// foldBias: conv or gemm, then the addition of a vector along the channels.
func foldBias(p *program, producer, consumer *Step, operand int) (engine.Op, []graph.Value, bool) {
	e, with, ok := epilogueOf(producer.Op)
	add, isAdd := consumer.Op.(engine.Broadcast)
	if !ok || !isAdd || operand != 0 || add.Fn != engine.BroadcastAdd || add.Axis != 1 || e != (engine.Epilogue{}) {
		return nil, nil, false
	}
	if bias := consumer.In[1]; len(p.desc(bias).Shape) == 1 {
		return with(engine.Epilogue{Bias: true}), append(clip(producer.In), bias), true
	}
	return nil, nil, false
}

// foldAdd: conv or normalisation, then the sum with one other tensor, as in a residual
// block.
func foldAdd(_ *program, producer, consumer *Step, operand int) (engine.Op, []graph.Value, bool) {
	e, with, ok := epilogueOf(producer.Op)
	sum, isSum := consumer.Op.(engine.Sum)
	if !ok || !addsTensors(producer.Op) || !isSum || len(consumer.In) != 2 || sum.Coeff != "" || e.Add || e.Act != engine.ActNone {
		return nil, nil, false
	}
	e.Add, e.Act, e.Slope = true, sum.Act, sum.Slope
	return with(e), append(clip(producer.In), consumer.In[1-operand]), true
}

// addsTensors names the ops that add a tensor at no more than the time to read it.
func addsTensors(op engine.Op) bool {
	switch op.(type) {
	case engine.Conv, engine.BatchNormScale:
		return true
	}
	return false
}

// foldReLU: conv, gemm or normalisation, then a ReLU. The ReLU's gradient reads its output, so
// that this is legal in training too.
func foldReLU(_ *program, producer, consumer *Step, _ int) (engine.Op, []graph.Value, bool) {
	e, with, ok := epilogueOf(producer.Op)
	relu, isUnary := consumer.Op.(engine.Unary)
	if !ok || !isUnary || relu.Fn != engine.ReLU || e.Act != engine.ActNone {
		return nil, nil, false
	}
	e.Act, e.Slope = engine.ActReLU, relu.A
	return with(e), producer.In, true
}

// foldClip: conv, then a Clip, as ReLU6 is. The gradient reads the Clip's input, so that nets
// in training keep it.
func foldClip(_ *program, producer, consumer *Step, _ int) (engine.Op, []graph.Value, bool) {
	conv, isConv := producer.Op.(engine.Conv)
	clip, isUnary := consumer.Op.(engine.Unary)
	if !isConv || !isUnary || clip.Fn != engine.Clip || conv.Epilogue.Act != engine.ActNone {
		return nil, nil, false
	}
	conv.Epilogue.Act, conv.Epilogue.Low, conv.Epilogue.High = engine.ActClip, clip.A, clip.B
	return conv, producer.In, true
}

// foldSumReLU: a sum, then a ReLU.
func foldSumReLU(_ *program, producer, consumer *Step, _ int) (engine.Op, []graph.Value, bool) {
	sum, isSum := producer.Op.(engine.Sum)
	relu, isUnary := consumer.Op.(engine.Unary)
	if !isSum || !isUnary || relu.Fn != engine.ReLU || sum.Act != engine.ActNone {
		return nil, nil, false
	}
	sum.Act, sum.Slope = engine.ActReLU, relu.A
	return sum, producer.In, true
}

// fuseBiasGrad lets the gradient of a convolution's weights compute that of its
// bias from the same pass over dy.
func (p *program) fuseBiasGrad() error {
	sums := map[graph.Value]*Step{} // by dy
	for _, s := range p.steps {
		if op, ok := s.Op.(engine.BroadcastGrad); ok && op == (engine.BroadcastGrad{Fn: engine.BroadcastAdd, Axis: 1, Rank: 1}) {
			sums[s.In[0]] = s
		}
	}
	gone := map[*Step]bool{}
	for _, s := range p.steps {
		op, ok := s.Op.(engine.ConvGradWeights)
		if !ok || op.Bias || sums[s.In[1]] == nil {
			continue
		}
		sum := sums[s.In[1]]
		op.Bias = true
		fused := *s
		fused.Op, fused.Out = op, append(clip(s.Out), sum.Out[0])
		if ok, err := p.can(&fused); err != nil {
			return err
		} else if !ok {
			continue
		}
		*s = fused
		gone[sum] = true
		delete(sums, s.In[1])
	}
	p.moveUp(gone)
	return nil
}

// moveUp drops the steps that were folded into others. A reader of a folded
// step's output stays behind the step that makes it now only if that step comes
// first, so each weight gradient moves to the place of the earlier of the two.
func (p *program) moveUp(gone map[*Step]bool) {
	maker := map[graph.Value]*Step{}
	for _, s := range p.steps {
		if !gone[s] {
			for _, v := range s.Out {
				maker[v] = s
			}
		}
	}
	placed := map[*Step]bool{}
	var steps []*Step
	for _, s := range p.steps {
		if gone[s] {
			s = maker[s.Out[0]]
		}
		if !placed[s] {
			placed[s] = true
			steps = append(steps, s)
		}
	}
	p.steps = steps
}

// clip makes appends to the result leave the original alone.
func clip(vs []graph.Value) []graph.Value { return vs[:len(vs):len(vs)] }
