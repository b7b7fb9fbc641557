package enginetest

import (
	"errors"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

func init() {
	register[engine.Nonzero](nonzeroCases)
	extras["Nonzero"] = checkNonzeroCount
}

func nonzeroCases(g *source) []Case {
	var list []Case
	for _, shape := range []engine.Shape{{8}, {5, 1, 1}, {300}, {1}} {
		x := g.steps(shape...)
		count := 0
		for _, v := range x.Data {
			if v != 0 {
				count++
			}
		}
		list = append(list, Case{Op: engine.Nonzero{Count: count}, In: []Tensor{x}})
	}
	return list
}

// checkNonzeroCount: a count that is not the tensor's is an error, never memory that was not written.
func checkNonzeroCount(t *testing.T, r *rig) {
	for _, count := range []int{1, 3} {
		c := Case{Op: engine.Nonzero{Count: count}, In: []Tensor{{Shape: engine.Shape{3}, Data: []float32{0, 2, 1}}}}
		if _, err := r.once(&c, mode{unread: -1}); err == nil {
			t.Errorf("count %d of 2: no error", count)
		} else if errors.Is(err, engine.ErrUnsupported) {
			return
		}
	}
}
