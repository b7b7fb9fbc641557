package solver

import (
	"math"
	"slices"

	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// ratePolicies are the names of lr_policy, in the order in which Caffe describes them; the last one is
// Intel Caffe's.
var ratePolicies = []string{"fixed", "step", "exp", "inv", "multistep", "poly", "sigmoid", "multifixed"}

// ratePolicy is the learning rate by iteration. Its step is part of a snapshot: multistep reaches
// a step when an iteration passes it, one step an iteration, so it cannot be computed from the
// iteration alone.
type ratePolicy struct {
	param *caffepb.SolverParameter
	step  int
	log   net.Logger
}

// rate is the learning rate of an iteration: that of the policy, or of the warm-up before it, and at
// least min_lr.
func (p *ratePolicy) rate(iter int) float32 {
	var rate float32
	base, i := p.param.GetBaseLr(), float32(iter)
	switch warm, ramp := p.param.GetWarmupIter(), p.param.GetRampupInterval(); {
	case iter < int(warm): // Intel Caffe
		n := float32(warm)
		rate = (float32(i*base) + float32((n-i)*p.param.GetWarmupStartLr())) / n
	case iter < int(ramp): // NVCaffe
		part, from := i/float32(ramp), p.param.GetRampupLr()
		rate = from + float32(float32((base-from)*part)*part)
	default:
		rate = p.scheduled(iter)
	}
	return max(rate, p.param.GetMinLr())
}

// scheduled is what lr_policy says, with the rounding of Caffe's C++: a power with an integer
// exponent is computed in float64 and multiplied there, any other in float32.
func (p *ratePolicy) scheduled(iter int) float32 {
	base, gamma, i := p.param.GetBaseLr(), p.param.GetGamma(), float32(iter)
	switch p.param.GetLrPolicy() {
	case "step":
		p.step = iter / int(p.param.GetStepsize())
		return timesPower(base, gamma, p.step)
	case "exp":
		return timesPower(base, gamma, iter)
	case "inv":
		return base * power(1+float32(gamma*i), -p.param.GetPower())
	case "multistep":
		p.passStep(iter)
		return timesPower(base, gamma, p.step)
	case "poly":
		least := p.param.GetMinLr()
		return float32((base-least)*power(1-i/float32(p.param.GetMaxIter()), p.param.GetPower())) + least
	case "sigmoid":
		e := float32(math.Exp(float64(-gamma * (i - float32(p.param.GetStepsize())))))
		return base * (1 / (1 + e))
	case "multifixed":
		ends, rates := p.param.Stageiter, p.param.Stagelr
		stage := slices.IndexFunc(ends, func(end int32) bool { return iter <= int(end) })
		if stage < 0 {
			stage = len(rates) - 1
		}
		return rates[stage]
	}
	return base
}

func (p *ratePolicy) passStep(iter int) {
	if values := p.param.Stepvalue; p.step < len(values) && iter >= int(values[p.step]) {
		p.step++
		p.log.Infof(sgdFile, 50, "MultiStep Status: Iteration %d, step = %d", iter, p.step)
	}
}

func timesPower(base, gamma float32, exponent int) float32 {
	return float32(float64(base) * math.Pow(float64(gamma), float64(exponent)))
}

func power(base, exponent float32) float32 {
	return float32(math.Pow(float64(base), float64(exponent)))
}
