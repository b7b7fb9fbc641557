package solver

import (
	"reflect"
	"testing"

	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/net/graph"
)

// An iteration in one run of the plan has the weights, to the last bit, of one whose loss is
// looked at before the update. Only a device that works while the host goes on has such.
func TestUndivided(t *testing.T) {
	for name, dev := range enginetest.Devices(t) {
		var want [][]float32
		for _, c := range []struct {
			more      string
			undivided bool // some iterations are
			other     bool // weights than those of the first
		}{
			{more: "display: 1"},
			{more: "display: 7", undivided: true},
			{more: "", undivided: true},
			{more: "clip_gradients: 1e6"},
			{more: "iter_size: 2", other: true},
			{more: `type: "Adam" momentum2: 0.99`, undivided: true, other: true},
		} {
			s, err := solve(t, tiny+"max_iter: 40 "+c.more, Options{Device: dev})
			if err != nil {
				t.Fatal(err)
			}
			got := weights(t, s)
			if want == nil {
				want = got
			}
			if !c.other && !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %q: weights %v, want %v", name, c.more, got, want)
			}
			if replays := s.Train().Plan().Replays(graph.Forward, graph.Backward, graph.ApplyUpdate); replays != (c.undivided && name == "cuda") {
				t.Errorf("%s, %q: whole iterations are replayed: %v", name, c.more, replays)
			}
		}
	}
}
