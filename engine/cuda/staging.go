//go:build cgo && linux

package cuda

import (
	"errors"

	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

// Sizes of the pinned memory of a stream.
const (
	slotBytes = 4 << 20
	slots     = 2
	// smallCopy is what is not worth the events of a queue of its own.
	smallCopy = 64 << 10
)

// staging is pinned memory through which copies to the GPU go: while one slot is on
// its way, the host fills the other. It is made when the first copy comes.
type staging struct {
	mem  [slots][]byte
	sent [slots]*shim.Event // behind the last copy from the slot
	used [slots]bool
	next int
}

func (g *staging) open(ctx *shim.Context) error {
	for i := range g.mem {
		var err error
		if g.mem[i], err = ctx.AllocHost(slotBytes); err != nil {
			return err
		}
		if g.sent[i], err = ctx.NewEvent(); err != nil {
			return err
		}
	}
	return nil
}

// send queues the copy of src and gives the event behind its last part.
func (g *staging) send(ctx *shim.Context, q *shim.Stream, at uint64, src []byte) (*shim.Event, error) {
	if g.sent[slots-1] == nil {
		if err := g.open(ctx); err != nil {
			return nil, err
		}
	}
	var last *shim.Event
	for len(src) > 0 {
		i := g.next
		g.next = (i + 1) % slots
		if g.used[i] {
			if err := g.sent[i].Sync(); err != nil {
				return nil, err
			}
		}
		n := copy(g.mem[i], src)
		if err := errors.Join(q.CopyIn(at, g.mem[i][:n]), q.Record(g.sent[i])); err != nil {
			return nil, err
		}
		g.used[i], last = true, g.sent[i]
		src, at = src[n:], at+uint64(n)
	}
	return last, nil
}

func (g *staging) close(ctx *shim.Context) error {
	var errs []error
	for i := range g.mem {
		if g.mem[i] != nil {
			errs = append(errs, ctx.FreeHost(g.mem[i]))
		}
		if g.sent[i] != nil {
			errs = append(errs, g.sent[i].Close())
		}
	}
	*g = staging{}
	return errors.Join(errs...)
}

// collection is pinned memory that copies from the GPU arrive in. Its start is for
// the flags.
type collection struct {
	mem     []byte
	at      int // first free byte
	waiting []arrival
}

// arrival is a copy on its way.
type arrival struct{ dst, from []byte }

// flagRoom is the part of a collection that holds flags.
const flagRoom = 8 * maxFlags

func (c *collection) open(ctx *shim.Context) (err error) {
	if c.mem == nil {
		c.mem, err = ctx.AllocHost(flagRoom + slotBytes)
		c.at = flagRoom
	}
	return err
}

// fetch queues the copy of device memory to dst, which has it after deliver. Where the
// pinned memory is full, it waits for what is on its way.
func (c *collection) fetch(ctx *shim.Context, q *shim.Stream, dst []byte, from uint64) error {
	if err := c.open(ctx); err != nil {
		return err
	}
	for len(dst) > 0 {
		if c.at == len(c.mem) {
			if err := q.Sync(); err != nil {
				return err
			}
			c.deliver()
		}
		n := min(len(dst), len(c.mem)-c.at)
		part := c.mem[c.at : c.at+n]
		if err := q.CopyOut(part, from); err != nil {
			return err
		}
		c.waiting = append(c.waiting, arrival{dst[:n], part})
		c.at += n
		dst, from = dst[n:], from+uint64(n)
	}
	return nil
}

// collectFlags queues the copy of the flags in use and gives where they arrive.
func (c *collection) collectFlags(d *device, q *shim.Stream) ([]byte, error) {
	if d.flags.bytes() == 0 {
		return nil, nil
	}
	if err := c.open(d.ctx); err != nil {
		return nil, err
	}
	n, err := d.flags.collect(q, c.mem[:flagRoom])
	return c.mem[:n], err
}

// deliver hands out what has arrived; the queue must be empty.
func (c *collection) deliver() {
	for _, a := range c.waiting {
		copy(a.dst, a.from)
	}
	c.drop()
}

// drop forgets what is on its way.
func (c *collection) drop() {
	clear(c.waiting)
	c.waiting = c.waiting[:0]
	c.at = min(flagRoom, len(c.mem))
}

func (c *collection) close(ctx *shim.Context) error {
	if c.mem == nil {
		return nil
	}
	mem := c.mem
	*c = collection{}
	return ctx.FreeHost(mem)
}
