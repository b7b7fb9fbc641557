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
