package cpu_test

import (
	"errors"
	"math"
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

// refusedBF16 is how many runs of an op and mode are refused, to run in float32 instead:
// poolings that are loops of our own, and epilogues in a pass of their own.
func refusedBF16(what string) int {
	op, mode, _ := strings.Cut(what, " ")
	if refused(op+" "+mode) && op != "Pool" {
		return math.MaxInt
	}
	return map[string]int{"Conv": 13, "ConvGradData": 27, "ConvGradWeights": withoutAxes, "Pool": 50, "PoolGrad": 28}[op]
}

func TestConformanceBF16(t *testing.T) {
	openBF16(t)
	rep := enginetest.RunBF16(t, cpu.Open)
	for what, runs := range rep.Unsupported {
		if runs > refusedBF16(what) {
			t.Errorf("%s: %d runs are unsupported", what, runs)
		}
	}
}

// openBF16 opens the device for bf16 and skips where the processor cannot.
func openBF16(t *testing.T) engine.Device {
	t.Helper()
	enginetest.OpenOrSkip(t, cpu.Name, engine.Config{})
	dev, err := cpu.Open(engine.Config{Precision: engine.PrecisionBF16})
	if errors.Is(err, engine.ErrPrecision) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dev.Close() })
	return dev
}

// TestLacksBF16 opens the device as on a processor without bfloat16 instructions: an
// error that says what it lacks, not a slow run.
func TestLacksBF16(t *testing.T) {
	enginetest.OpenOrSkip(t, cpu.Name, engine.Config{})
	if os.Getenv("GOCAFFE_TEST_LACKS_BF16") == "" {
		c := exec.Command(os.Args[0], "-test.run=^TestLacksBF16$")
		c.Env = append(os.Environ(), "ONEDNN_MAX_CPU_ISA=AVX512_CORE", "GOCAFFE_TEST_LACKS_BF16=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	dev, err := cpu.Open(engine.Config{Precision: engine.PrecisionBF16})
	if !errors.Is(err, engine.ErrPrecision) || !strings.Contains(err.Error(), "AVX512_BF16") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Open gives %v, %v", dev, err)
	}
}
