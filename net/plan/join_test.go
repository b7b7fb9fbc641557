package plan_test

import (
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// updates counts the steps of a plan that are the update of one param, and of several.
func updates(p *plan.Plan) (single, joined int) {
	for _, s := range p.Steps() {
		switch s.Op.(type) {
		case engine.Update:
			single++
		case engine.UpdateAll:
			joined++
		}
	}
	return single, joined
}

// All params are updated by one step where the device has that, and gets the same
// values as by a step of its own (the engines' suite compares the bits).
func TestUpdatesJoin(t *testing.T) {
	for name, update := range map[string]graph.UpdateOptions{
		"sgd":        {Rule: engine.SGD, Momentum: 0.9, WeightDecay: 0.01},
		"adam":       {Rule: engine.Adam, Momentum: 0.9, Momentum2: 0.99, Delta: 1e-3},
		"clip":       {Rule: engine.SGD, Clip: true},
		"accumulate": {Rule: engine.Nesterov, Momentum: 0.5, Accumulate: true},
		"keep step":  {Rule: engine.AdaDelta, Momentum: 0.9, Delta: 1e-3, KeepStep: true},
	} {
		t.Run(name, func(t *testing.T) {
			g, p, u := broadPlan(t, update, plan.Options{})
			if single, joined := updates(p); single != 0 || joined != 1 {
				t.Errorf("the plan has %d updates of one param and %d of several, want 0 and 1", single, joined)
			}
			apart, q, w := broadPlan(t, update, plan.Options{NoFuse: true})
			if single, joined := updates(q); single != len(g.Params) || joined != 0 {
				t.Errorf("without fusion there are %d updates of one param and %d of several, want %d and 0", single, joined, len(g.Params))
			}
			if bad := differ(train(t, apart, q, w, 4), train(t, g, p, u, 4), 1e-5); bad != "" {
				t.Errorf("params and loss differ from those of an update each: %s", bad)
			}
		})
	}
}
