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
	case "RandomMask", "Pixels": // on the processor masks are Caffe's, drawn by the host, and data come transformed
		return true
	case "UpdateAll": // launches cost nothing here: the plan keeps an update each
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
// poolings that are loops of our own, epilogues in a pass of their own, and convolutions
// for which oneDNN has only its reference in bfloat16.
func refusedBF16(what string) int {
	op, mode, _ := strings.Cut(what, " ")
	if refused(op+" "+mode) && op != "Pool" {
		return math.MaxInt
	}
	return map[string]int{"Conv": 21, "ConvGradData": 27, "ConvGradWeights": withoutAxes, "Pool": 50, "PoolGrad": 28}[op]
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

// TestWinogradBF16 sees that the kernels are chosen that the suite's cases of this size
// are for, except where AMX makes direct convolutions faster.
func TestWinogradBF16(t *testing.T) {
	dev := openBF16(t)
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip(err)
	}
	want := !strings.Contains(string(info), "amx_bf16")
	half := func(shape ...int) engine.Desc { return engine.Desc{DType: engine.BF16, Shape: shape} }
	x, w, y := half(1, 80, 45, 46), half(112, 80, 3, 3), half(1, 112, 45, 46)
	one := engine.IntsOf(1, 1)
	for _, c := range []struct {
		op      engine.Op
		in, out []engine.Desc
	}{
		{engine.Conv{Group: 1, Kernel: engine.IntsOf(3, 3), Stride: one, Pad: one, Dilation: one}, []engine.Desc{x, w}, []engine.Desc{y}},
		{engine.ConvGradData{Group: 1, Kernel: engine.IntsOf(3, 3), Stride: one, Pad: one, Dilation: one, Size: engine.IntsOf(45, 46)}, []engine.Desc{y, w}, []engine.Desc{x}},
		{engine.ConvGradWeights{Group: 1, Kernel: engine.IntsOf(3, 3), Stride: one, Pad: one, Dilation: one}, []engine.Desc{x, y}, []engine.Desc{engine.Dense(112, 80, 3, 3)}},
	} {
		in, out := dev.(engine.Layouter).Prefer(c.op, c.in, c.out)
		k, err := dev.Prepare(c.op, in, out)
		if err != nil {
			t.Fatal(err)
		}
		name := k.(interface{ Implementation() string }).Implementation()
		if strings.Contains(name, "Winograd") != want {
			t.Errorf("%T runs on %q", c.op, name)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
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
