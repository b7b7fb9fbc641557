package solver

import (
	"math"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/net"
)

// Solve trains up to max_iter, with the tests, displays and snapshots that the solver's file asks
// for. A stop that Action asks for is no error: the log says so, and Stopped.
func (s *Solver) Solve() error {
	s.log.Infof(solverFile, 289, "Solving %s", s.train.Name())
	s.log.Infof(solverFile, 290, "Learning Rate Policy: %s", s.param.GetLrPolicy())
	s.stopping, s.forced = false, false
	if err := s.step(int(s.param.GetMaxIter())); err != nil {
		return err
	}
	if err := s.lastSnapshot(); err != nil {
		return err
	}
	if s.stopping {
		s.log.Infof(solverFile, 311, "Optimization stopped early.")
		return nil
	}
	if due(s.iter, s.param.GetDisplay()) {
		if err := s.lastLoss(); err != nil {
			return err
		}
	}
	if due(s.iter, s.param.GetTestInterval()) {
		if err := s.testAll(); err != nil {
			return err
		}
	}
	s.log.Infof(solverFile, 332, "Optimization Done.")
	return nil
}

// Stopped reports whether the last Solve ended because Action asked for it.
func (s *Solver) Stopped() bool { return s.stopping }

// due reports whether something that happens every so many iterations does now; 0 is never.
func due(iter int, every int32) bool { return every != 0 && iter%int(every) == 0 }

// lastLoss computes the loss once more, with the final weights.
func (s *Solver) lastLoss() error {
	if err := s.train.Forward(); err != nil {
		return err
	}
	if err := s.debugForward(s.train, false); err != nil {
		return err
	}
	loss, err := s.train.Loss()
	if err != nil {
		return err
	}
	s.window.add(s.iter, loss)
	s.log.Infof(solverFile, 327, "Iteration %d, loss = %s", s.iter, glog.G(s.window.smoothed))
	return nil
}

// step trains until stop iterations are done, or Action asks to end.
func (s *Solver) step(stop int) error {
	s.window, s.resume = s.resume, nil
	if s.window == nil {
		s.window = newLossWindow(int(s.param.GetAverageLoss()), s.iter)
	}
	s.display.start(s.iter)
	s.display.waited = s.train.DataWait()
	for s.iter < stop && !s.stopping {
		if due(s.iter, s.param.GetTestInterval()) && (s.iter > 0 || s.param.GetTestInitialization()) {
			if err := s.settleAll(); err != nil {
				return err
			}
			if err := s.testAll(); err != nil || s.stopping {
				return err
			}
		}
		if err := s.iterate(); err != nil {
			return err
		}
		if err := s.afterUpdate(); err != nil {
			return err
		}
	}
	return s.settleAll()
}

// iterate is one iteration: gradients, display, update.
func (s *Solver) iterate() error {
	display := due(s.iter, s.param.GetDisplay())
	if s.undivided(display) {
		return s.iterateAtOnce()
	}
	if err := s.gradients(display); err != nil {
		return err
	}
	if display || !s.train.Ahead() || s.losses.full() {
		if err := s.settle(); err != nil {
			return err
		}
	}
	if display {
		if err := s.showIteration(); err != nil {
			return err
		}
	}
	if err := s.checkLosses(); err != nil {
		return err
	}
	return s.update(display)
}

// undivided reports whether nobody looks at the gradients or the loss before the update. On a
// device that the host waits for, the loss is looked at: a broken one spares the weights.
func (s *Solver) undivided(display bool) bool {
	return !display && s.train.Ahead() && s.param.GetIterSize() == 1 && s.param.GetClipGradients() < 0
}

// iterateAtOnce is an iteration in one run of the plan, so that a GPU replays all of it from
// one recording.
func (s *Solver) iterateAtOnce() error {
	if err := s.checkLosses(); err != nil {
		return err
	}
	if err := s.setHyper(s.policy.rate(s.iter), 1); err != nil {
		return err
	}
	if err := s.train.Step(); err != nil {
		return err
	}
	if err := s.train.LossLater(s.losses.room(s.iter, 1)); err != nil {
		return err
	}
	s.iter++
	if s.losses.full() {
		return s.settle()
	}
	return nil
}

// gradients runs iter_size batches, whose gradients add up.
func (s *Solver) gradients(display bool) error {
	size := int(s.param.GetIterSize())
	if size > 1 {
		if err := s.train.ClearDiffs(); err != nil {
			return err
		}
	}
	for range size {
		if err := s.train.ForwardBackward(); err != nil {
			return err
		}
		if err := s.debugForward(s.train, !display); err != nil {
			return err
		}
		if err := s.debugBackward(s.train, !display); err != nil {
			return err
		}
		if err := s.train.LossLater(s.losses.room(s.iter, size)); err != nil {
			return err
		}
	}
	return nil
}

// update applies the rule with this iteration's rate and counts the iteration.
func (s *Solver) update(display bool) error {
	rate := s.policy.rate(s.iter)
	if display {
		s.log.Infof(sgdFile, 112, "Iteration %d, lr = %s", s.iter, glog.G(rate))
	}
	clip, err := s.clip()
	if err != nil {
		return err
	}
	if err := s.setHyper(rate, clip); err != nil {
		return err
	}
	if err := s.train.ApplyUpdate(); err != nil {
		return err
	}
	s.iter++
	return nil
}

// setHyper gives the next update what differs between iterations.
func (s *Solver) setHyper(rate, clip float32) error {
	s.hyper[engine.HyperRate] = rate
	s.hyper[engine.HyperScale] = 1 / float32(s.param.GetIterSize())
	s.hyper[engine.HyperClip] = clip
	s.hyper[engine.HyperCorrection] = 1
	if rules[s.param.GetType()] == engine.Adam {
		s.hyper[engine.HyperCorrection] = adamCorrection(s.param, s.iter)
	}
	return s.train.SetHyper(s.hyper[:])
}

// clip is what the gradients are multiplied by so that their norm is at most clip_gradients. As in
// Caffe it is the norm of the sum over iter_size batches.
func (s *Solver) clip() (float32, error) {
	limit := s.param.GetClipGradients()
	if limit < 0 {
		return 1, nil
	}
	sumsq, err := s.train.SumSq()
	if err != nil {
		return 0, err
	}
	norm := float32(math.Sqrt(float64(sumsq)))
	if !(norm > limit) {
		return 1, nil
	}
	scale := limit / norm
	s.log.Infof(sgdFile, 99, "Gradient clipping: scaling down gradients (L2 norm %s > %s) by scale factor %s", glog.G(norm), glog.G(limit), glog.G(scale))
	return scale, nil
}

// afterUpdate takes a snapshot where one is due or asked for, and notes a stop.
func (s *Solver) afterUpdate() error {
	s.tellProgress()
	asked := s.poll()
	if due(s.iter, s.param.GetSnapshot()) || asked {
		if err := s.settleAll(); err != nil {
			return err
		}
		return s.snapshot()
	}
	return nil
}

// poll asks for actions: it notes a stop and reports whether a snapshot is wanted now.
func (s *Solver) poll() (snapshot bool) {
	for {
		switch s.o.Action() {
		case Snapshot:
			snapshot = true
		case Stop:
			s.stopping = true
			return snapshot
		case SnapshotStop:
			s.stopping, s.forced = true, true
			return snapshot
		default:
			return snapshot
		}
	}
}

// displayClock measures the iterations a second between displays, and lately for the progress line.
type displayClock struct {
	shown     time.Time // of the last display
	at        int       // its iteration
	first     bool
	waited    time.Duration // for data, until then
	since     time.Time     // of the progress line's rate
	sinceIter int
	rate      float64
}

func (c *displayClock) start(iter int) {
	now := time.Now()
	*c = displayClock{shown: now, at: iter, first: true, since: now, sinceIter: iter}
}

// lap gives the seconds since the last display and the rate; the first display has nothing to
// compare with and says 0.
func (c *displayClock) lap(iter int) (seconds, perSecond float32) {
	now := time.Now()
	seconds = float32(now.Sub(c.shown).Seconds())
	if !c.first && seconds > 0 {
		perSecond = float32(iter-c.at) / seconds
	}
	c.shown, c.at, c.first = now, iter, false
	return seconds, perSecond
}

// progressEvery is the time over which the progress line's rate is measured.
const progressEvery = 2 * time.Second

func (s *Solver) tellProgress() {
	if s.o.Progress == nil {
		return
	}
	c := &s.display
	if now := time.Now(); c.rate == 0 || now.Sub(c.since) >= progressEvery {
		if d := now.Sub(c.since).Seconds(); d > 0 {
			c.rate = float64(s.iter-c.sinceIter) / d
		}
		if now.Sub(c.since) >= progressEvery {
			c.since, c.sinceIter = now, s.iter
		}
	}
	s.o.Progress(Progress{Iteration: s.iter, MaxIter: int(s.param.GetMaxIter()), Rate: c.rate, Loss: s.window.smoothed})
}

// showIteration logs the loss and the train net's outputs.
func (s *Solver) showIteration() error {
	seconds, rate := s.display.lap(s.iter)
	s.log.Infof(solverFile, 239, "Iteration %d (%s iter/s, %ss/%d iters), loss = %s",
		s.iter, glog.G(rate), glog.G(seconds), s.param.GetDisplay(), glog.G(s.window.smoothed))
	index := 0
	err := s.eachOutput(s.train, func(o net.Output, values []float32) error {
		for _, v := range values {
			s.log.Infof(solverFile, 258, "    Train net output #%d: %s = %s%s", index, o.Name, glog.G(v), lossPart(o.LossWeight, v))
			index++
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.tellMetrics(seconds, rate)
}

// lossPart is how the log says what an output counts in the loss.
func lossPart(weight, value float32) string {
	if weight == 0 {
		return ""
	}
	return " (* " + glog.G(weight) + " = " + glog.G(weight*value) + " loss)"
}

// eachOutput reads the outputs of a net's last run. Values are valid during the call.
func (s *Solver) eachOutput(n *net.Net, visit func(o net.Output, values []float32) error) error {
	for _, o := range n.Outputs() {
		count := o.Shape.Count()
		if cap(s.outputs) < count {
			s.outputs = make([]float32, count)
		}
		values := s.outputs[:count]
		if err := n.Read(o.Name, values); err != nil {
			return err
		}
		if err := visit(o, values); err != nil {
			return err
		}
	}
	return nil
}
