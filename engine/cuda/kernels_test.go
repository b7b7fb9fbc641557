//go:build cgo && linux

package cuda

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/kernels"
	"github.com/gocaffe/gocaffe/engine/enginetest"
)

// A kernel's arguments have the size that the PTX says, and no kernel is without use.
func TestArgumentSizes(t *testing.T) {
	entry := regexp.MustCompile(`\.entry (\w+)\(\s*\.param \.align \d+ \.b8 \w+\[(\d+)\]\s*\)`)
	for _, capability := range []int{70, 80} {
		got := map[string]uintptr{}
		for _, m := range entry.FindAllStringSubmatch(kernels.PTX(capability), -1) {
			n, err := strconv.Atoi(m[2])
			if err != nil {
				t.Fatal(err)
			}
			got[m[1]] = uintptr(n)
		}
		for name := range got {
			if _, ok := argBytes[name]; !ok {
				t.Errorf("sm_%d has %s, which nothing launches", capability, name)
			}
		}
		for name, n := range argBytes {
			if got[name] != n {
				t.Errorf("sm_%d: %s takes %d bytes, the engine gives %d", capability, name, got[name], n)
			}
		}
	}
}

func TestDiv(t *testing.T) {
	for _, d := range []int{1, 2, 3, 5, 7, 10, 32, 641, 65535, 65536, 1 << 30, maxElements} {
		v := divOf(d)
		for _, n := range []uint32{0, 1, uint32(d) - 1, uint32(d), uint32(d) + 1, 12345678, maxElements - 1, maxElements} {
			if n > maxElements {
				continue
			}
			q := (uint32(uint64(n)*uint64(v.Mul)>>32) + n) >> v.Shift
			if q != n/uint32(d) {
				t.Errorf("%d/%d is %d", n, d, q)
			}
		}
	}
}

// TestConformance runs the suite in each precision. What goes to the host has a reason in
// host.go, or is one of what is listed here.
func TestConformance(t *testing.T) {
	enginetest.OpenOrSkip(t, Name, engine.Config{})
	for precision, run := range map[string]func(*testing.T, enginetest.Open) enginetest.Report{
		engine.PrecisionFP32: enginetest.Run, engine.PrecisionTF32: enginetest.RunTF32, engine.PrecisionBF16: enginetest.RunBF16,
	} {
		t.Run(precision, func(t *testing.T) {
			rep := run(t, Open)
			if rep.Runs == 0 {
				t.Error("nothing ran")
			}
			for what := range rep.Unsupported {
				if !refused(what) {
					t.Errorf("%s runs on the host, which host.go gives no reason for", what)
				}
			}
		})
	}
}

// refused reports whether the engine may answer ErrUnsupported to the runs of an op in a
// mode.
func refused(what string) bool {
	op, mode, _ := strings.Cut(what, " ")
	for o := range onHost {
		if o.Name() == op {
			return true
		}
	}
	switch op {
	case "Nonzero": // of nothing: no kernel is for empty tensors
		return true
	case "ConvGradWeights":
		return strings.HasSuffix(mode, "output 0 unread")
	}
	return false
}
