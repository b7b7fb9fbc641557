package cpu_test

import (
	"os"
	"os/exec"
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
	case "Accuracy", "ArgMax", "Gather", "GatherGrad", "Nonzero", "OneHot", "Im2col", "Col2im", "InfogainLoss", "InfogainLossGrad":
		return true
	case "Permute", "L2Norm", "L2NormGrad", "PriorBox", "SmoothL1", "SmoothL1Grad", "Interp", "InterpGrad", "Unpool", "UnpoolGrad",
		"ROIPool", "ROIPoolGrad", "PSROIPool", "PSROIPoolGrad", "DetectionOutput", "DetectionEvaluate", "MultiBoxMatch", "BoxAnnotator",
		"Confusion", "SegmentScores", "Margin", "MarginGrad", "SoftmaxLossEach": // of forks
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

// TestInstructionSets runs the suite as on lesser processors: our loops are compiled for
// three instruction sets, and oneDNN's layouts depend on it.
func TestInstructionSets(t *testing.T) {
	enginetest.OpenOrSkip(t, cpu.Name, engine.Config{})
	for _, isa := range []string{"AVX2", "SSE41"} {
		t.Run(isa, func(t *testing.T) {
			c := exec.Command(os.Args[0], "-test.run=^TestConformance$")
			c.Env = append(os.Environ(), "ONEDNN_MAX_CPU_ISA="+isa, "GOCAFFE_TEST_ENGINES=cpu")
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
