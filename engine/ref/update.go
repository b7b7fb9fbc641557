package ref

import (
	"math"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register(prepareUpdate)
	register(prepareUpdateAll)
}

// prepareUpdate computes in float32, one rounding an operation, in Caffe's
// order: the same seed is to give the same loss curve.
func prepareUpdate(op engine.Update, in, _ []engine.Desc) (compute, error) {
	if op.Rule.Histories() != len(in)-3 || op.Rule > engine.Adam {
		return nil, unsupported(op, "no such rule")
	}
	return func(l *launch) error {
		hyper := l.in[len(l.in)-1]
		u := updater{
			Update: op,
			rate:   hyper[engine.HyperRate] * op.Rate,
			clip:   hyper[engine.HyperClip], scale: hyper[engine.HyperScale],
		}
		u.adamRate = u.rate * hyper[engine.HyperCorrection]
		l.spans(len(l.in[0]), func(lo, hi int) { u.span(l, lo, hi) })
		return nil
	}, nil
}

// prepareUpdateAll updates one parameter after the other.
func prepareUpdateAll(op engine.UpdateAll, in, out []engine.Desc) (compute, error) {
	ops := op.Each()
	n, kinds := len(ops), 2+op.Rule.Histories()
	each := make([]compute, n)
	for i := range each {
		var err error
		if each[i], err = prepareUpdate(ops[i], in[:kinds+1], out[:kinds-1]); err != nil {
			return nil, err
		}
	}
	return func(l *launch) error {
		for i, run := range each {
			one := launch{threads: l.threads}
			for k := range kinds {
				one.in = append(one.in, l.in[k*n+i])
			}
			one.in = append(one.in, l.in[kinds*n])
			for k := range kinds - 1 {
				one.out = append(one.out, l.out[k*n+i])
			}
			if err := run(&one); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// updater is an Update with this step's hyper values.
type updater struct {
	engine.Update
	rate, clip, scale, adamRate float32
}

// span updates elements lo … hi-1.
func (u *updater) span(l *launch, lo, hi int) {
	w, g, h := l.in[0], l.in[1], l.in[2]
	two := u.Rule.Histories() == 2
	var h2 []float32
	if two {
		h2 = l.in[3]
	}
	for i := lo; i < hi; i++ {
		var second float32
		if two {
			second = h2[i]
		}
		s, first, second := u.step(u.regularized(w[i], g[i]), h[i], second)
		l.out[0][i] = w[i] - s
		l.out[1][i] = first
		if two {
			l.out[2][i] = second
		}
		if u.KeepStep {
			g[i] = s
		}
	}
}

// regularized is the gradient after clipping, averaging and weight decay.
func (u *updater) regularized(w, g float32) float32 {
	g = float32(g*u.clip) * u.scale
	if !u.L1 {
		return g + float32(u.Decay*w)
	}
	switch {
	case w > 0:
		return g + u.Decay
	case w < 0:
		return g - u.Decay
	}
	return g
}

// step gives the step and the new history for gradient g.
func (u *updater) step(g, h, h2 float32) (s, first, second float32) {
	switch u.Rule {
	case engine.Nesterov:
		next := float32(u.Momentum*h) + float32(u.rate*g)
		return float32((1+u.Momentum)*next) - float32(u.Momentum*h), next, 0
	case engine.AdaGrad:
		h += float32(g * g)
		return u.rate * float32(g/(sqrt(h)+u.Delta)), h, 0
	case engine.RMSProp:
		h = float32(u.RMSDecay*h) + float32((1-u.RMSDecay)*float32(g*g))
		return u.rate * float32(g/(sqrt(h)+u.Delta)), h, 0
	case engine.AdaDelta:
		h = float32(u.Momentum*h) + float32((1-u.Momentum)*float32(g*g))
		v := g * sqrt(float32(h2+u.Delta)/float32(h+u.Delta))
		h2 = float32(u.Momentum*h2) + float32((1-u.Momentum)*float32(v*v))
		return u.rate * v, h, h2
	case engine.Adam:
		h = float32(u.Momentum*h) + float32((1-u.Momentum)*g)
		h2 = float32(u.Momentum2*h2) + float32((1-u.Momentum2)*float32(g*g))
		return u.adamRate * float32(h/(sqrt(h2)+u.Delta)), h, h2
	}
	h = float32(u.Momentum*h) + float32(u.rate*g)
	return h, h, 0
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
