//go:build cgo && linux

package cuda

import (
	"errors"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

// uploads lets a batch travel while the GPU computes on the one before: the memory that a
// feed has is in use then, so the copy goes to one of two slots beside it and is moved into
// place by the GPU, which takes a hundredth of the time. Feeds are told by being sent to the
// same place again and again; a param is sent once or twice.
type uploads struct {
	sent  map[target]int
	pairs map[target]*slotPair
	full  bool // the GPU had no memory for a pair
}

// target is where copies go.
type target struct {
	at    uint64
	bytes int
}

// repeats is how often a target is sent to before it gets slots.
const repeats = 2

// slotPair are two slots of one target, used in turn.
type slotPair struct {
	mem  [2]*buffer
	free [2]*shim.Event // behind the move out of the slot
	used [2]bool
	next int
}

// slots gives the target's pair, or nil where it has none.
func (u *uploads) slots(d *device, to target) (*slotPair, error) {
	if p := u.pairs[to]; p != nil || u.full {
		return p, nil
	}
	if u.sent == nil {
		u.sent, u.pairs = map[target]int{}, map[target]*slotPair{}
	}
	if u.sent[to]++; u.sent[to] <= repeats {
		return nil, nil
	}
	p, err := newSlotPair(d, to.bytes)
	if errors.Is(err, engine.ErrMemory) {
		u.full = true // slower, but it works
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	u.pairs[to] = p
	return p, nil
}

func newSlotPair(d *device, bytes int) (*slotPair, error) {
	p := &slotPair{}
	for i := range p.mem {
		b, err := d.Alloc(int64(bytes))
		if err == nil {
			p.mem[i] = b.(*buffer)
			p.free[i], err = d.ctx.NewEvent()
		}
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
	}
	return p, nil
}

// upload sends src to at by way of the next slot.
func (s *stream) upload(p *slotPair, at uint64, src []byte) error {
	i := p.next
	p.next = 1 - i
	if p.used[i] {
		if err := s.copies.Wait(p.free[i]); err != nil {
			return err
		}
	}
	last, err := s.in.send(s.dev.ctx, s.copies, p.mem[i].at, src)
	if err != nil {
		return err
	}
	p.used[i] = true
	return errors.Join(s.compute.Wait(last), s.compute.Copy(at, p.mem[i].at, int64(len(src))), s.compute.Record(p.free[i]))
}

func (p *slotPair) close() error {
	var errs []error
	for i := range p.mem {
		if p.mem[i] != nil {
			errs = append(errs, p.mem[i].Close())
		}
		if p.free[i] != nil {
			errs = append(errs, p.free[i].Close())
		}
	}
	return errors.Join(errs...)
}

func (u *uploads) close() error {
	var errs []error
	for _, p := range u.pairs {
		errs = append(errs, p.close())
	}
	*u = uploads{}
	return errors.Join(errs...)
}
