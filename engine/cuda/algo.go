//go:build cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

// algo is one way of a library to compute an op, ready to run.
type algo struct {
	name      string // the same for one version of the library and one kind of GPU
	workspace int64
	run       func(q *shim.Stream, in []uint64, out, workspace uint64) error
	close     func() error
}

// proposal is an algo before the work of making it ready. make answers
// shim.ErrNotSupported where the library finds that it does not work after all.
type proposal struct {
	name string
	make func() (*algo, error)
}

// problem is what algos compete at.
type problem struct {
	op    engine.Op
	key   string  // names op, shapes and types in the cache
	work  int64   // multiplications
	bytes []int64 // of the inputs and the output
}

// The limits of a search, and of the memory that one op may take for its workspace.
const (
	maxAlgos       = 8
	timedRuns      = 3
	workspaceLimit = 256 << 20
	// least is the number of multiplications that make a search worth its time: below, a
	// kernel takes a few microseconds whichever it is.
	least = 1 << 24
)

// The environment variable that says how algorithms are chosen: find, the default, times
// those that the library proposes, once for a machine; heuristic takes the library's first.
const searchVariable = "GOCAFFE_CUDNN_SEARCH"

func searches() (bool, error) {
	switch v := os.Getenv(searchVariable); v {
	case "", "find":
		return true, nil
	case "heuristic":
		return false, nil
	default:
		return false, fmt.Errorf("cuda: %s=%s: want find or heuristic", searchVariable, v)
	}
}

// choose gives the algo that the cache names, else the fastest, else the first that works.
func (d *device) choose(p problem, proposals []proposal) (*algo, error) {
	search, err := searches()
	if err != nil {
		return nil, err
	}
	search = search && p.work >= least && len(proposals) > 1
	if search {
		if a, err := d.cached(p, proposals); a != nil || err != nil {
			return a, err
		}
	}
	ready, err := d.makeReady(p, proposals, search)
	if err != nil || len(ready) == 1 {
		return first(ready), err
	}
	best, err := d.fastest(p, ready)
	return best, err
}

// cached is the algo that an earlier search found, nil if there was none.
func (d *device) cached(p problem, proposals []proposal) (*algo, error) {
	name, ok := d.plans.lookup(p.key)
	if !ok {
		return nil, nil
	}
	i := slices.IndexFunc(proposals, func(o proposal) bool { return o.name == name })
	if i < 0 {
		return nil, nil // the library proposes it no more
	}
	a, err := proposals[i].make()
	if errors.Is(err, shim.ErrNotSupported) {
		return nil, nil
	}
	return a, err
}

// makeReady makes proposals ready whose workspace is within the limit: the first, or as
// many as a search takes.
func (d *device) makeReady(p problem, proposals []proposal, search bool) ([]*algo, error) {
	want := 1
	if search {
		want = maxAlgos
	}
	var ready []*algo
	why := errors.New("the library proposes no algorithm that gives the same result each time")
	for _, o := range proposals {
		a, err := o.make()
		if errors.Is(err, shim.ErrNotSupported) {
			why = err
			continue
		}
		if err == nil && a.workspace > workspaceLimit {
			why = fmt.Errorf("it needs a workspace of %d bytes", a.workspace)
			err = a.close()
		} else if err == nil {
			ready = append(ready, a)
		}
		if err != nil {
			return nil, errors.Join(err, closeAll(ready))
		}
		if len(ready) == want {
			break
		}
	}
	if len(ready) == 0 {
		return nil, unsupported(p.op, why.Error())
	}
	return ready, nil
}

// first is the first algo, nil of none.
func first(list []*algo) *algo {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func closeAll(list []*algo) error {
	var err error
	for _, a := range list {
		err = errors.Join(err, a.close())
	}
	return err
}

// fastest times the algos and keeps one. Where the GPU has no room for the tensors, it is
// the first: the library's own choice.
func (d *device) fastest(p problem, ready []*algo) (*algo, error) {
	times, err := d.time(p, ready)
	best := 0
	for i, t := range times {
		if t < times[best] {
			best = i
		}
	}
	if err == nil {
		d.plans.enter(p.key, plan{Name: ready[best].name, Microseconds: times[best]})
	} else if errors.Is(err, engine.ErrMemory) {
		err = nil
	}
	keep := ready[best]
	err = errors.Join(err, closeAll(slices.Delete(ready, best, best+1)))
	if err != nil {
		return nil, errors.Join(err, keep.close())
	}
	return keep, nil
}

// time runs each algo on tensors of its own, once to warm up and then timedRuns times, and
// gives microseconds a run.
func (d *device) time(p problem, ready []*algo) (times []float64, err error) {
	b := &bench{d: d}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.open(p, ready); err != nil {
		return nil, err
	}
	for _, a := range ready {
		t, err := b.time(a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		times = append(times, t)
	}
	return times, nil
}

// bench is what a search needs: a queue, two timers and memory.
type bench struct {
	d           *device
	queue       *shim.Stream
	start, stop *shim.Event
	buffers     []engine.Buffer
	in          []uint64
	out, space  uint64
}

// small is the byte that fills the tensors: small positive numbers in every type, because
// arithmetic on denormals or zeros may take another time.
const small = 0x3c

func (b *bench) open(p problem, ready []*algo) error {
	var err error
	if b.queue, err = b.d.ctx.NewStream(); err != nil {
		return b.d.failed(err)
	}
	if b.start, err = b.d.ctx.NewTimer(); err != nil {
		return b.d.failed(err)
	}
	if b.stop, err = b.d.ctx.NewTimer(); err != nil {
		return b.d.failed(err)
	}
	space := int64(0)
	for _, a := range ready {
		space = max(space, a.workspace)
	}
	for i, n := range append(slices.Clone(p.bytes), space) {
		at, err := b.fill(n)
		if err != nil {
			return err
		}
		switch {
		case i < len(p.bytes)-1:
			b.in = append(b.in, at)
		case i == len(p.bytes)-1:
			b.out = at
		default:
			b.space = at
		}
	}
	return nil
}

func (b *bench) fill(n int64) (uint64, error) {
	buf, err := b.d.Alloc(n)
	if err != nil || n == 0 {
		return 0, err
	}
	b.buffers = append(b.buffers, buf)
	at := buf.(*buffer).at
	return at, b.d.failed(b.queue.Fill(at, small, n))
}

// time is microseconds a run.
func (b *bench) time(a *algo) (float64, error) {
	for i := range timedRuns + 1 {
		if i == 1 {
			if err := b.queue.Record(b.start); err != nil {
				return 0, err
			}
		}
		if err := b.d.locked(func() error { return a.run(b.queue, b.in, b.out, b.space) }); err != nil {
			return 0, err
		}
	}
	if err := errors.Join(b.queue.Record(b.stop), b.queue.Sync()); err != nil {
		return 0, err
	}
	ms, err := b.stop.Since(b.start)
	return 1000 * float64(ms) / timedRuns, err
}

func (b *bench) close() error {
	var err error
	if b.queue != nil { // nothing may run on memory that is given back
		err = errors.Join(b.queue.Sync(), b.queue.Close())
	}
	for _, e := range []*shim.Event{b.start, b.stop} {
		if e != nil {
			err = errors.Join(err, e.Close())
		}
	}
	for _, buf := range b.buffers {
		err = errors.Join(err, buf.Close())
	}
	return err
}

// locked runs f with the libraries' handles for itself.
func (d *device) locked(f func() error) error {
	d.libs.mu.Lock()
	defer d.libs.mu.Unlock()
	return f()
}

// addAlgo adds the run of an algo to a kernel. Libraries want their workspace at multiples
// of workspaceAlign, which is more than the arenas give.
func (b *build) addAlgo(a *algo, in []pointer, out pointer) {
	b.releases = append(b.releases, a.close)
	var space pointer
	if a.workspace > 0 {
		at := b.scratch(int(a.workspace) + workspaceAlign - engine.Align)
		space = func(l *launch) uint64 { return (at(l) + workspaceAlign - 1) / workspaceAlign * workspaceAlign }
	}
	b.steps = append(b.steps, func(l *launch) error {
		addresses := make([]uint64, len(in))
		for i, p := range in {
			addresses[i] = p.at(l)
		}
		return b.d.locked(func() error { return a.run(l.queue, addresses, out(l), space.at(l)) })
	})
}

const workspaceAlign = 256
