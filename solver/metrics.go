package solver

import (
	"github.com/gocaffe/gocaffe/net"
)

// Metrics is what one display knows, for programs: Caffe's log has no place for most of it.
type Metrics struct {
	Iteration int
	Loss      float32 // smoothed over average_loss iterations
	Rate      float32
	// Seconds have passed since the last display, tests and snapshots included.
	Seconds             float64
	IterationsPerSecond float64
	// DataWait is the share of Seconds in which the train net waited for data: 0 where the input
	// pipeline keeps up.
	DataWait float64
	Outputs  map[string][]float32 // of the train net, by blob
}

// tellMetrics reports the display at the end of the lap of seconds.
func (s *Solver) tellMetrics(seconds, perSecond float32) error {
	if s.o.Metrics == nil {
		return nil
	}
	m := Metrics{
		Iteration: s.iter, Loss: s.window.smoothed, Rate: s.policy.rate(s.iter),
		Seconds: float64(seconds), IterationsPerSecond: float64(perSecond), Outputs: map[string][]float32{},
	}
	waited := s.train.DataWait()
	if seconds > 0 {
		m.DataWait = min((waited-s.display.waited).Seconds()/float64(seconds), 1)
	}
	s.display.waited = waited
	err := s.eachOutput(s.train, func(o net.Output, values []float32) error {
		m.Outputs[o.Name] = append([]float32{}, values...)
		return nil
	})
	if err != nil {
		return err
	}
	return s.o.Metrics(m)
}
