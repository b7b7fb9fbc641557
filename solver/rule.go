package solver

import (
	"errors"
	"math"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// rules are the solver types by their names in the solver file.
var rules = map[string]engine.UpdateRule{
	"SGD": engine.SGD, "Nesterov": engine.Nesterov, "AdaGrad": engine.AdaGrad,
	"RMSProp": engine.RMSProp, "AdaDelta": engine.AdaDelta, "Adam": engine.Adam,
}

// UpdateRule is the update that a solver file describes, for a net that is not trained
// by a Solver (`time` measures it); an error names what is wrong with it.
func UpdateRule(f *proto.SolverFile) (*graph.UpdateOptions, error) {
	c := &check{file: f, param: f.Solver}
	c.rule()
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	return updateOptions(f.Solver), nil
}

// updateOptions is the solver's rule as the graph needs it. The type must be known.
func updateOptions(p *caffepb.SolverParameter) *graph.UpdateOptions {
	return &graph.UpdateOptions{
		Rule:        rules[p.GetType()],
		Momentum:    p.GetMomentum(),
		Momentum2:   p.GetMomentum2(),
		RMSDecay:    p.GetRmsDecay(),
		Delta:       p.GetDelta(),
		WeightDecay: p.GetWeightDecay(),
		L1:          p.GetRegularizationType() == "L1",
		Clip:        p.GetClipGradients() >= 0,
		Accumulate:  p.GetIterSize() > 1,
		KeepStep:    p.GetSnapshotDiff(),
	}
}

// adamCorrection is √(1−β2^t)/(1−β1^t) for the update after iter others: t counts from 1.
func adamCorrection(p *caffepb.SolverParameter, iter int) float32 {
	t := float64(iter + 1)
	b1, b2 := float64(p.GetMomentum()), float64(p.GetMomentum2())
	return float32(math.Sqrt(1-math.Pow(b2, t)) / (1 - math.Pow(b1, t)))
}
