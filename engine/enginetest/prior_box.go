package enginetest

import "github.com/gocaffe/gocaffe/engine"

func init() {
	register[engine.PriorBox](func(*source) []Case {
		op := engine.PriorBox{
			H: 3, W: 5, ImageH: 90, ImageW: 160, StepH: 30, StepW: 32, Offset: 0.5, MinSizes: engine.FloatsOf(20, 30.7),
			Variances: engine.FloatsOf(0.1, 0.1, 0.2, 0.2),
		}
		ratios := op
		ratios.MaxSizes, ratios.Ratios, ratios.Clip = engine.FloatsOf(40, 60), engine.FloatsOf(2, 0.5), true
		return []Case{{Op: op}, {Op: ratios}}
	})
}
