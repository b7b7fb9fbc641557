package solver

import (
	"fmt"
	"math"

	"github.com/gocaffe/gocaffe/internal/glog"
)

// checkLosses ends a training whose loss is no number any more: no iteration would bring it back,
// and the next snapshot would replace good weights by bad ones. It is called before the update, so
// that weights that are still good stay so, unless the losses come later (pendingLosses).
func (s *Solver) checkLosses() error {
	broken := s.losses.broken
	if broken == nil || s.o.Compat {
		return nil
	}
	where, err := s.firstBroken()
	if err != nil {
		return err
	}
	last := "There is no snapshot of this run."
	if s.lastFile != "" {
		last = fmt.Sprintf("The last snapshot is %s.", s.lastFile)
	}
	return fmt.Errorf("Iteration %d: the loss is %s. %s Lower base_lr (the rate is %s), set clip_gradients, or look for inputs and labels "+
		"out of range. %s With -compat=bvlc the training goes on, as in Caffe",
		broken.iter, glog.G(broken.loss), where, glog.G(s.policy.rate(broken.iter)), last)
}

func finite(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

// firstBroken finds the first param that holds something else than numbers, or else the largest weight.
func (s *Solver) firstBroken() (string, error) {
	var largest float32
	var in string
	for i, p := range s.train.Params() {
		values := make([]float32, p.Shape.Count())
		if err := s.train.ReadParam(i, values); err != nil {
			return "", err
		}
		for _, v := range values {
			if !finite(v) {
				return fmt.Sprintf("Layer %q is the first whose weights are no numbers (blob %d has %s): an earlier update was too large.",
					p.Layer, p.Index, glog.G(v)), nil
			}
			if v = max(v, -v); v >= largest {
				largest, in = v, p.Layer
			}
		}
	}
	return fmt.Sprintf("All weights are numbers still, the largest is %s in layer %q; the inputs, or the values computed from them, are not.",
		glog.G(largest), in), nil
}
