package cpu_test

import (
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cpu"
	"github.com/gocaffe/gocaffe/engine/enginetest"
)

// refused are the ops that run on the host instead, and the modes that no plan asks for.
func refused(what string) bool {
	op, mode, _ := strings.Cut(what, " ")
	switch op {
	case "Accuracy", "ArgMax", "Gather", "GatherGrad", "OneHot", "Im2col", "Col2im", "InfogainLoss", "InfogainLossGrad":
		return true
	case "ConvGradWeights", "LRN", "Pool": // a main output that nobody reads is pruned
		if strings.HasSuffix(mode, "output 0 unread") {
			return true
		}
	}
	return false
}

// withoutAxes is how many runs of a convolution have no spatial axes: those are refused.
const withoutAxes = 2

func TestConformance(t *testing.T) {
	enginetest.OpenOrSkip(t, cpu.Name, engine.Config{})
	rep := enginetest.Run(t, cpu.Open)
	for what, runs := range rep.Unsupported {
		if !refused(what) && !(strings.HasPrefix(what, "Conv") && runs <= withoutAxes) {
			t.Errorf("%s: %d runs are unsupported", what, runs)
		}
	}
}
