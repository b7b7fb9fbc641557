package ref_test

import (
	"testing"

	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/engine/ref"
)

func TestConformance(t *testing.T) {
	for what, n := range enginetest.Run(t, ref.Open).Unsupported {
		t.Errorf("%s: %d runs unsupported; ref must support all ops", what, n)
	}
}

func TestGradients(t *testing.T) { enginetest.Gradients(t) }

func BenchmarkOps(b *testing.B) { enginetest.Bench(b, ref.Open) }

func TestConformanceBF16(t *testing.T) {
	if rep := enginetest.RunBF16(t, ref.Open); len(rep.Unsupported) > 0 {
		t.Errorf("unsupported: %v", rep.Unsupported)
	}
}
