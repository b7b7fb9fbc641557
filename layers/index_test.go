package layers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// TestIndexErrors: an index that is no row, and a label that is no class, name
// their layer.
func TestIndexErrors(t *testing.T) {
	for _, c := range []struct {
		shapes []string
		layer  string
		input  string
		bad    []float32
		as     any
	}{
		{[]string{"2"}, `Embed" bottom: "a" top: "y" embed_param { num_output: 3 input_dim: 4 }`, "a", []float32{0, 4}, new(*engine.IndexError)},
		{[]string{"2 3", "2"}, `BatchReindex" bottom: "a" bottom: "b" top: "y"`, "b", []float32{-1, 0}, new(*engine.IndexError)},
		{[]string{"2 3", "2"}, `HingeLoss" bottom: "a" bottom: "b" top: "y"`, "b", []float32{0, 3}, new(*engine.LabelError)},
		{[]string{"2 3", "2"}, `MultinomialLogisticLoss" bottom: "a" bottom: "b" top: "y"`, "b", []float32{0, 3}, new(*engine.LabelError)},
		{[]string{"2 3", "2", "3 3"}, `InfogainLoss" bottom: "a" bottom: "b" bottom: "c" top: "y"`, "b", []float32{0, 3}, new(*engine.LabelError)},
	} {
		for name, dev := range enginetest.Devices(t) {
			r := runText(t, dev, plan.Options{}, c.shapes, `layer { name: "l" type: "`+c.layer+" }")
			r.set(c.input, c.bad)
			err := errors.Join(r.p.Run(graph.Forward), r.p.Wait())
			if !errors.As(err, c.as) || !strings.Contains(err.Error(), `layer "l"`) {
				t.Errorf("%s on %s: %v", c.layer, name, err)
			}
		}
	}
}
