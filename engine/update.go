package engine

// UpdateRule is a solver's rule for one step, named as Caffe's solver types.
type UpdateRule uint8

// The rules. r is the local rate, g the gradient after scaling and
// regularisation, h the history, s the step (w −= s); δ is Delta.
const (
	SGD      UpdateRule = iota // s = h = Momentum·h + r·g
	Nesterov                   // h' = Momentum·h + r·g; s = (1+Momentum)·h' − Momentum·h
	AdaGrad                    // h += g²; s = r·g/(√h + δ)
	RMSProp                    // h = d·h + (1−d)·g²; s = r·g/(√h + δ); d is RMSDecay
	AdaDelta                   // h = ρh + (1−ρ)g²; u = g·√((h2+δ)/(h+δ)); h2 = ρh2 + (1−ρ)u²; s = r·u; ρ is Momentum
	Adam                       // h = β1h + (1−β1)g; h2 = β2h2 + (1−β2)g²; s = r·c·h/(√h2 + δ); β are Momentum, Momentum2
)

func (r UpdateRule) String() string {
	return [...]string{"SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"}[r]
}

// Histories is how many history tensors a rule keeps for a parameter.
func (r UpdateRule) Histories() int {
	if r == AdaDelta || r == Adam {
		return 2
	}
	return 1
}

// The entries of the hyper tensor, what changes from step to step. It is an
// input so that a captured step can be replayed.
const (
	HyperRate       = iota // the learning rate of this iteration
	HyperScale             // what gradients are multiplied by first: 1/iter_size
	HyperCorrection        // Adam's c = √(1−β2^t)/(1−β1^t)
	HyperClip              // gradient clipping: multiplies gradients too; 1 where none
	HyperSize
)

// Update is one solver step of one parameter, in one pass: scale the gradient by
// hyper's HyperClip, then by HyperScale, add the regularisation (Decay·w, or Decay·sign(w)
// with L1), apply the rule with r = hyper's HyperRate·Rate, w −= s. All tensors but
// hyper have one layout, and every output is written over its input. On the CPU
// in fp32 each operation rounds to float32 in the order of the rules above, as
// Caffe's do, so that the same seed gives the same loss curve.
//
//	in:  w, g, h, (h2), hyper (HyperSize)
//	out: w', h', (h2')
//
// With KeepStep, g is overwritten by s, which is what Caffe's snapshot_diff stores.
type Update struct {
	Rule                UpdateRule
	Rate                float32 // lr_mult
	Decay               float32 // weight_decay·decay_mult
	L1                  bool
	Momentum, Momentum2 float32
	RMSDecay, Delta     float32
	KeepStep            bool
}

// Infer implements Op.
func (op Update) Infer(in []Desc) ([]Desc, error) {
	n := op.Rule.Histories()
	if err := arity(op, in, 3+n); err != nil {
		return nil, err
	}
	if err := sameShapes(op, in[:2+n]); err != nil {
		return nil, err
	}
	if hyper := in[2+n].Shape; hyper.Count() != HyperSize {
		return nil, inferError(op, "hyper has shape %v, want %d entries", hyper, HyperSize)
	}
	out := []Desc{Dense(in[0].Shape...)}
	for range n {
		out = append(out, Dense(in[0].Shape...))
	}
	return out, nil
}

// Overwrites implements Overwriter: w, then the histories.
func (op Update) Overwrites() []int { return []int{0, 2, 3}[:1+op.Rule.Histories()] }

// UpdateAll is one solver step of several parameters, each as Update does it: what a
// device that pays for every launch does at once. Rates and Decays have one entry a
// parameter and stand for Update's Rate and Decay, which are 0.
//
//	in:  w of each, g of each, h of each, (h2 of each), hyper (HyperSize)
//	out: w' of each, h' of each, (h2' of each)
type UpdateAll struct {
	Update
	Rates, Decays Floats
}

// JoinUpdates is the op that does the given ones, which may differ in Rate and Decay
// alone; ok is false where they differ in more.
func JoinUpdates(ops []Update) (all UpdateAll, ok bool) {
	var rates, decays []float32
	for i, op := range ops {
		rates, decays = append(rates, op.Rate), append(decays, op.Decay)
		op.Rate, op.Decay = 0, 0
		if i == 0 {
			all.Update = op
		}
		if op != all.Update {
			return all, false
		}
	}
	all.Rates, all.Decays = FloatsOf(rates...), FloatsOf(decays...)
	return all, len(ops) > 0
}

// Each gives the Update of every parameter.
func (op UpdateAll) Each() []Update {
	rates, decays := op.Rates.List(), op.Decays.List()
	each := make([]Update, len(rates))
	for i := range each {
		each[i] = op.Update
		each[i].Rate, each[i].Decay = rates[i], decays[i]
	}
	return each
}

// Infer implements Op.
func (op UpdateAll) Infer(in []Desc) ([]Desc, error) {
	n, kinds := len(op.Rates.List()), 2+op.Rule.Histories()
	if n == 0 || len(op.Decays.List()) != n {
		return nil, inferError(op, "%d rates and %d decays: there must be one of each a parameter", n, len(op.Decays.List()))
	}
	if err := arity(op, in, n*kinds+1); err != nil {
		return nil, err
	}
	out := make([]Desc, n*(kinds-1))
	for i := range n {
		var of []Desc
		for k := range kinds {
			of = append(of, in[k*n+i])
		}
		one, err := op.Update.Infer(append(of, in[n*kinds]))
		if err != nil {
			return nil, err
		}
		for k, d := range one {
			out[k*n+i] = d
		}
	}
	return out, nil
}

// Overwrites implements Overwriter: w, then the histories, of each parameter.
func (op UpdateAll) Overwrites() []int {
	n := len(op.Rates.List())
	var list []int
	for _, kind := range op.Update.Overwrites() {
		for i := range n {
			list = append(list, kind*n+i)
		}
	}
	return list
}
