package plan_test

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/net/plan"
)

// TestReplays: what is replayed from a recording is to the last bit what is launched step
// by step. The first step is launched, the second recorded.
func TestReplays(t *testing.T) {
	const steps = 5
	for _, precision := range []string{engine.PrecisionFP32, engine.PrecisionBF16} {
		for name, dev := range enginetest.DevicesAt(t, precision) {
			for seed := range int64(15) {
				t.Run(fmt.Sprint(precision, name, seed), func(t *testing.T) {
					text := randomNet(rand.New(rand.NewSource(seed)))
					t.Setenv("GOCAFFE_CAPTURE", "0")
					want, replayed := trainSteps(t, dev, text, plan.Options{}, steps)
					if replayed {
						t.Error("GOCAFFE_CAPTURE=0 has not turned recording off")
					}
					t.Setenv("GOCAFFE_CAPTURE", "1")
					got, replayed := trainSteps(t, dev, text, plan.Options{}, steps)
					if replayed != (name == "cuda") {
						t.Errorf("replayed: %v", replayed)
					}
					if msg := differ(want, got, 0); msg != "" {
						t.Errorf("%s\n%s", msg, text)
					}
				})
			}
		}
	}
}
