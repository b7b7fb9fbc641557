package solver

// maxPending is how many losses may be on their way: how late a training that diverged ends, and how
// far the host may be ahead of a device.
const maxPending = 16

// pendingLosses are the losses of the last iterations. A device that works while the host prepares the
// next batch gives them later; so nobody waits for one that no line of the log shows. All are there
// before a display, a test, a snapshot and the end.
type pendingLosses struct {
	first   int       // the iteration of the first
	values  []float32 // of each iteration's batches
	batches int       // in an iteration
	broken  *brokenLoss
}

// brokenLoss is the first loss that was no number.
type brokenLoss struct {
	iter int
	loss float32
}

// room is where the next batch's loss goes. Its memory stays where it is until the losses are settled.
func (p *pendingLosses) room(iter, batches int) []float32 {
	if len(p.values) == 0 {
		p.first, p.batches = iter, batches
		if want := maxPending * batches; cap(p.values) < want {
			p.values = make([]float32, 0, want)
		}
	}
	n := len(p.values)
	p.values = p.values[:n+1]
	return p.values[n : n+1]
}

func (p *pendingLosses) full() bool { return len(p.values) >= maxPending*p.batches }

// settle waits for the losses.
func (s *Solver) settle() error {
	if len(s.losses.values) == 0 {
		return nil
	}
	if err := s.train.Wait(); err != nil {
		return err
	}
	s.losses.into(s.window)
	return nil
}

// into takes the means over each iteration's batches into a window.
func (p *pendingLosses) into(w *lossWindow) {
	for i := 0; i+p.batches <= len(p.values); i += p.batches {
		var sum float32
		for _, v := range p.values[i : i+p.batches] {
			sum += v
		}
		iter, loss := p.first+i/p.batches, sum/float32(p.batches)
		w.add(iter, loss)
		if !finite(loss) && p.broken == nil {
			p.broken = &brokenLoss{iter, loss}
		}
	}
	p.values = p.values[:0]
}

// settleAll is settle before something that needs good weights.
func (s *Solver) settleAll() error {
	if err := s.settle(); err != nil {
		return err
	}
	return s.checkLosses()
}
