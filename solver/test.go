package solver

import (
	"fmt"

	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/net"
)

// evaluation is what a test makes of the outputs of a test net: eval_type says which.
type evaluation interface {
	// batch takes the outputs of the net's last run.
	batch(s *Solver, t *net.Net) error
	// show logs the results of all batches.
	show(s *Solver, t *net.Net, batches int) error
}

// evaluations are the known values of eval_type.
var evaluations = map[string]func() evaluation{
	"classification": func() evaluation { return new(means) },
	"detection":      func() evaluation { return new(detections) },
}

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
	results := evaluations[s.param.GetEvalType()]()
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
		if err := results.batch(s, t); err != nil {
			return fmt.Errorf("iteration %d, test net #%d: %w", s.iter, i, err)
		}
	}
	if s.param.GetTestComputeLoss() {
		s.log.Infof(solverFile, 401, "Test loss: %s", glog.G(loss/float32(batches)))
	}
	return results.show(s, t, batches)
}

// testBatch runs one batch. It gives the loss if that is wanted.
func (s *Solver) testBatch(t *net.Net) (loss float32, err error) {
	if err := t.Forward(); err != nil {
		return 0, err
	}
	if err := s.debugForward(t, false); err != nil {
		return 0, err
	}
	if s.param.GetTestComputeLoss() {
		return t.Loss()
	}
	return 0, nil
}

// means are the mean values of all outputs over the batches.
type means struct{ sums []float32 }

func (m *means) batch(s *Solver, t *net.Net) error {
	first, at := len(m.sums) == 0, 0
	return s.eachOutput(t, func(_ net.Output, values []float32) error {
		for _, v := range values {
			switch {
			case first || at == len(m.sums): // an output may grow with the batch
				m.sums = append(m.sums, v)
			default:
				m.sums[at] += v
			}
			at++
		}
		return nil
	})
}

func (m *means) show(s *Solver, t *net.Net, batches int) error {
	i := 0
	for _, o := range t.Outputs() {
		for range o.Shape.Count() {
			if i == len(m.sums) {
				return nil
			}
			mean := m.sums[i] / float32(batches)
			s.log.Infof(solverFile, 414, "    Test net output #%d: %s = %s%s", i, o.Name, glog.G(mean), lossPart(o.LossWeight, mean))
			i++
		}
	}
	return nil
}
