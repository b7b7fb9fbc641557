package solver

import (
	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/net"
)

// testAll tests on all test nets. A snapshot that is asked for meanwhile is one of the start of the
// tests, since a resumed run does them again.
func (s *Solver) testAll() error {
	if len(s.tests) == 0 {
		return nil
	}
	var err error
	if s.before, err = s.position(); err != nil {
		return err
	}
	for i := range s.tests {
		if s.stopping {
			break
		}
		if err := s.test(i); err != nil {
			return err
		}
	}
	if !s.stopping { // the last snapshot of a stopped test is one of its start, too
		s.before = nil
	}
	return nil
}

func (s *Solver) test(i int) error {
	t, batches := s.tests[i], int(s.param.TestIter[i])
	s.log.Infof(solverFile, 347, "Iteration %d, Testing net (#%d)", s.iter, i)
	for _, name := range t.Ignored() {
		s.log.Infof(netFile, 746, "Ignoring source layer %s", name)
	}
	s.scores = s.scores[:0]
	var loss float32
	for range batches {
		if s.poll() {
			if err := s.snapshot(); err != nil {
				return err
			}
		}
		if s.stopping {
			s.log.Infof(solverFile, 396, "Test interrupted.")
			return nil
		}
		batch, err := s.testBatch(t)
		if err != nil {
			return err
		}
		loss += batch
	}
	if s.param.GetTestComputeLoss() {
		s.log.Infof(solverFile, 401, "Test loss: %s", glog.G(loss/float32(batches)))
	}
	s.showScores(t, batches)
	return nil
}

// testBatch runs one batch and adds its outputs to the scores. It gives the loss if that is wanted.
func (s *Solver) testBatch(t *net.Net) (loss float32, err error) {
	if err := t.Forward(); err != nil {
		return 0, err
	}
	if err := s.debugForward(t, false); err != nil {
		return 0, err
	}
	if s.param.GetTestComputeLoss() {
		if loss, err = t.Loss(); err != nil {
			return 0, err
		}
	}
	first, at := len(s.scores) == 0, 0
	err = s.eachOutput(t, func(_ net.Output, values []float32) {
		for _, v := range values {
			switch {
			case first || at == len(s.scores): // an output may grow with the batch
				s.scores = append(s.scores, v)
			default:
				s.scores[at] += v
			}
			at++
		}
	})
	return loss, err
}

// showScores logs the outputs' means over all batches.
func (s *Solver) showScores(t *net.Net, batches int) {
	i := 0
	for _, o := range t.Outputs() {
		for range o.Shape.Count() {
			if i == len(s.scores) {
				return
			}
			mean := s.scores[i] / float32(batches)
			s.log.Infof(solverFile, 414, "    Test net output #%d: %s = %s%s", i, o.Name, glog.G(mean), lossPart(o.LossWeight, mean))
			i++
		}
	}
}
