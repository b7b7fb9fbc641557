package plan

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// foldNorms folds what follows a product of constant weights (a convolution, a matrix
// product) and is affine a channel into the weights: BatchNorm by stored statistics,
// Scale, Bias. Of
//
//	((x∗w + b − mean)/√(var + eps))·s + t
//
// x∗(w·f) + c is left, with f = s/√(var + eps) and c = (b − mean)·f + t, whose
// vectors and weights are steps that depend on params alone: they run once, and again
// when a param has changed (derive.go). A plan that changes a param itself has no
// constant weights, so that training is as it was.
func (p *program) foldNorms() error {
	p.constantsFirst()
	constant := p.constants()
	readers, makers := p.readers(), p.makers()
	var out []*Step
	for i, s := range p.steps {
		if s == nil {
			continue
		}
		list := []*Step{s}
		if axis, ok := outputAxis(s.Op); ok && s.Dir == graph.Forward && constant[s.In[1]] {
			folded, err := p.foldInto(s, axis, p.affine(i, constant, readers), makers)
			if err != nil {
				return err
			}
			if folded != nil {
				list = folded
			}
		}
		out = append(out, list...)
	}
	p.steps = out
	return nil
}

// constantsFirst moves what params alone determine to the front: the statistics of a
// normalisation stand behind the product that they are folded into.
func (p *program) constantsFirst() {
	constant := p.constants()
	var first, rest []*Step
	for _, s := range p.steps {
		if p.constantStep(s, constant) {
			first = append(first, s)
		} else {
			rest = append(rest, s)
		}
	}
	p.steps = append(first, rest...)
}

// outputAxis is the axis of a product's second factor that its output's channels are.
func outputAxis(op engine.Op) (axis int, ok bool) {
	switch op := op.(type) {
	case engine.Conv:
		return 0, op.Epilogue == engine.Epilogue{}
	case engine.ConvGradData:
		return 1, op.Group == 1 && op.Epilogue == engine.Epilogue{}
	case engine.Gemm:
		if op.TransB {
			return 0, op.Epilogue == engine.Epilogue{}
		}
		return 1, op.Epilogue == engine.Epilogue{}
	}
	return 0, false
}

// affine lists the places of the steps that follow the one at place i, each the only
// reader of the one before, and do no more than add constants to channels and
// multiply them. It is empty where nothing multiplies: a bias alone is the table's.
func (p *program) affine(i int, constant []bool, readers []int) []int {
	var chain []int
	multiplies := false
	y := p.steps[i].Out[0]
	for j := i + 1; j < len(p.steps) && readers[y] == 1; j++ {
		s := p.steps[j]
		if s == nil || index(s.In, y) < 0 {
			continue
		}
		mul, ok := p.affineStep(s, y, constant)
		if !ok {
			break
		}
		multiplies = multiplies || mul
		chain = append(chain, j)
		y = s.Out[0]
	}
	if !multiplies {
		return nil
	}
	return chain
}

// affineStep reports whether a step maps each channel of y by constants, and whether it
// multiplies.
func (p *program) affineStep(s *Step, y graph.Value, constant []bool) (multiplies, ok bool) {
	if s.In[0] != y || s.Dir != graph.Forward {
		return false, false
	}
	switch op := s.Op.(type) {
	case engine.Normalize:
		return true, constant[s.In[1]] && constant[s.In[2]]
	case engine.Broadcast:
		return op.Fn == engine.BroadcastMul, op.Axis == 1 && constant[s.In[1]] && p.isVector(s.In[1])
	}
	return false, false
}

// foldInto gives the steps that replace a product and the chain behind it: those of the
// other weights, the product, and the addition that is left, which the table folds into
// it. Where the device lacks one of them there are none, and all stays.
func (p *program) foldInto(product *Step, axis int, chain []int, makers map[graph.Value]*Step) ([]*Step, error) {
	if len(chain) == 0 {
		return nil, nil
	}
	f := &folding{program: p, layer: product.Layer, factor: graph.None, shift: graph.None}
	for _, j := range chain {
		f.apply(p.steps[j])
	}
	y := p.steps[chain[len(chain)-1]].Out[0]
	s := *product
	s.In, s.Out = append([]graph.Value{}, s.In...), []graph.Value{y}
	s.In[1] = f.weights(s.In[1], makers[s.In[1]], axis)
	f.steps = append(f.steps, &s)
	if f.shift != graph.None {
		s.Out[0] = p.add(p.values[y].Name+"@unshifted", p.desc(y))
		f.steps = append(f.steps, &Step{
			Op: engine.Broadcast{Fn: engine.BroadcastAdd, Axis: 1}, In: []graph.Value{s.Out[0], f.shift}, Out: []graph.Value{y},
			Layer: s.Layer, Dir: graph.Forward,
		})
	}
	for _, s := range f.steps {
		if _, conversion := s.Op.(engine.Reorder); conversion {
			continue // made when layouts are chosen
		}
		if ok, err := p.can(s); !ok {
			return nil, err
		}
	}
	for _, j := range chain {
		p.steps[j] = nil
	}
	return f.steps, nil
}

// folding is the steps that compute the factor and the shift of each channel, as far
// as the chain has been followed; graph.None are 1 and 0.
type folding struct {
	*program
	layer         int
	factor, shift graph.Value
	steps         []*Step
}

// emit appends a step of one output, shaped like the value like.
func (f *folding) emit(name string, op engine.Op, like graph.Value, in ...graph.Value) graph.Value {
	out := f.add(name, engine.Dense(f.desc(like).Shape...))
	f.steps = append(f.steps, &Step{Op: op, In: in, Out: []graph.Value{out}, Layer: f.layer, Dir: graph.Forward})
	return out
}

// apply follows one step of the chain.
func (f *folding) apply(s *Step) {
	switch op := s.Op.(type) {
	case engine.Normalize:
		mean, variance := s.In[1], s.In[2]
		if f.shift == graph.None {
			f.shift = f.emit("-mean", engine.Sum{Coeff: engine.FloatsOf(-1)}, mean, mean)
		} else {
			f.shift = f.emit("shift-mean", engine.Sum{Coeff: engine.FloatsOf(1, -1)}, mean, f.shift, mean)
		}
		f.multiply(f.emit("1/sigma", engine.Unary{Fn: engine.Power, A: -0.5, B: 1, C: op.Eps}, variance, variance))
	case engine.Broadcast:
		if op.Fn == engine.BroadcastMul {
			f.multiply(s.In[1])
		} else if f.shift == graph.None {
			f.shift = s.In[1]
		} else {
			f.shift = f.emit("shift", engine.Sum{}, f.shift, f.shift, s.In[1])
		}
	}
}

// multiply multiplies factor and shift by a vector.
func (f *folding) multiply(by graph.Value) {
	if f.factor == graph.None {
		f.factor = by
	} else {
		f.factor = f.emit("factor", engine.Binary{Fn: engine.Mul}, f.factor, f.factor, by)
	}
	if f.shift != graph.None {
		f.shift = f.emit("shift", engine.Binary{Fn: engine.Mul}, f.shift, f.shift, by)
	}
}

// weights multiplies the weights w, whose output channels are the axis, by the factor.
// Where w is a param's conversion to another type, the product is converted.
func (f *folding) weights(w graph.Value, maker *Step, axis int) graph.Value {
	from := w
	if maker != nil {
		if _, conversion := maker.Op.(engine.Reorder); conversion {
			from = maker.In[0]
		}
	}
	name := f.values[from].Name + "@folded"
	folded := f.emit(name, engine.Broadcast{Fn: engine.BroadcastMul, Axis: axis}, from, from, f.factor)
	if from != w {
		folded = f.emit(name+"."+f.desc(w).DType.String(), engine.Reorder{}, w, folded)
		f.values[folded].Desc.DType = f.desc(w).DType
	}
	return folded
}
