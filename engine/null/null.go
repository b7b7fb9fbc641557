// Package null is an engine that computes nothing. It checks what it is asked
// for and counts bytes and launches: for tests of plans, for memory estimates
// and for dry runs. Its tensors read as zeros.
package null

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// Name is what the engine is registered as.
const Name = "null"

func init() {
	engine.Register(Name, open)
}

// open takes any precision: what the net would be planned for is then counted.
func open(c engine.Config) (engine.Device, error) {
	d := New()
	d.precision = c.Precision
	return d, nil
}

// Device counts what is done on it. It accepts every op whose Infer accepts the
// inputs, on plain layouts and any element type.
type Device struct {
	mu        sync.Mutex
	counts    Counts
	launches  map[string]int
	precision string
}

// Counts is what has been done on a Device.
type Counts struct {
	Allocated int64 // bytes in buffers that are not closed
	Peak      int64 // the most that Allocated has been
	Prepared  int   // kernels
	Launches  int
	CopiedIn  int64 // bytes
	CopiedOut int64 // bytes
}

// New makes a device with all counts zero. engine.Open("null", …) gives a
// *Device too.
func New() *Device { return &Device{launches: map[string]int{}} }

// Counts is what has been done so far.
func (d *Device) Counts() Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts
}

// LaunchesOf is how often kernels of op's type were launched.
func (d *Device) LaunchesOf(op engine.Op) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.launches[opName(op)]
}

func opName(op engine.Op) string { return reflect.TypeOf(op).Name() }

// count changes the counts.
func (d *Device) count(f func(c *Counts)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(&d.counts)
	d.counts.Peak = max(d.counts.Peak, d.counts.Allocated)
}

// Info implements engine.Device.
func (d *Device) Info() engine.Info {
	return engine.Info{Engine: Name, Name: "nothing (counts bytes and launches)", Precision: d.precision}
}

// Alloc implements engine.Device; it takes no memory.
func (d *Device) Alloc(bytes int64) (engine.Buffer, error) {
	if bytes < 0 {
		return nil, fmt.Errorf("null: allocating %d bytes", bytes)
	}
	d.count(func(c *Counts) { c.Allocated += bytes })
	return &buffer{dev: d, bytes: bytes}, nil
}

// NewStream implements engine.Device.
func (d *Device) NewStream() (engine.Stream, error) { return &stream{dev: d}, nil }

// Prepare implements engine.Device: it infers, and compares out with what was
// inferred.
func (d *Device) Prepare(op engine.Op, in, out []engine.Desc) (engine.Kernel, error) {
	want, err := op.Infer(in)
	if err != nil {
		return nil, err
	}
	if len(out) != len(want) {
		return nil, fmt.Errorf("null: %T has %d outputs, got %d descriptors", op, len(want), len(out))
	}
	for i, o := range out {
		if o.DType != engine.None && !o.Shape.Equal(want[i].Shape) {
			return nil, fmt.Errorf("null: %T: output %d has shape %v, want %v", op, i, o.Shape, want[i].Shape)
		}
	}
	for _, t := range append(append([]engine.Desc{}, in...), out...) {
		if t.Layout != engine.Plain {
			return nil, &engine.UnsupportedError{Engine: Name, Op: op, Why: "a device's layout"}
		}
	}
	d.count(func(c *Counts) { c.Prepared++ })
	return &kernel{op: op, in: in, out: out}, nil
}

// Close implements engine.Device.
func (d *Device) Close() error { return nil }

type kernel struct {
	op      engine.Op
	in, out []engine.Desc
}

func (k *kernel) Workspace() int64 { return 0 }

func (k *kernel) Close() error { return nil }

// check verifies that the buffers fit the descriptors.
func (k *kernel) check(what string, descs []engine.Desc, bufs []engine.Buffer) error {
	if len(bufs) != len(descs) {
		return fmt.Errorf("null: %T has %d %ss, got %d buffers", k.op, len(descs), what, len(bufs))
	}
	for i, d := range descs {
		if d.DType != engine.None && (bufs[i] == nil || bufs[i].Bytes() < d.Bytes()) {
			return fmt.Errorf("null: %T: %s %d needs %d bytes", k.op, what, i, d.Bytes())
		}
	}
	return nil
}

// buffer is a size without memory.
type buffer struct {
	dev    *Device
	bytes  int64
	slice  bool
	closed bool
}

func (b *buffer) Bytes() int64 { return b.bytes }

func (b *buffer) Slice(offset, bytes int64) engine.Buffer {
	if offset < 0 || bytes < 0 || offset+bytes > b.bytes {
		panic(fmt.Sprintf("null: slice [%d, %d) of a buffer of %d bytes", offset, offset+bytes, b.bytes))
	}
	return &buffer{dev: b.dev, bytes: bytes, slice: true}
}

func (b *buffer) Host() unsafe.Pointer { return nil }

func (b *buffer) Close() error {
	if !b.slice && !b.closed {
		b.closed = true
		b.dev.count(func(c *Counts) { c.Allocated -= b.bytes })
	}
	return nil
}

// stream counts; only a misuse makes it fail.
type stream struct {
	dev *Device
	err error
}

func (s *stream) Launch(k engine.Kernel, args *engine.Args) {
	if s.err != nil {
		return
	}
	own, ok := k.(*kernel)
	if !ok {
		s.err = fmt.Errorf("null: cannot launch a %T: it was prepared by another engine", k)
		return
	}
	if s.err = own.check("input", own.in, args.In); s.err != nil {
		return
	}
	if s.err = own.check("output", own.out, args.Out); s.err != nil {
		return
	}
	s.dev.count(func(c *Counts) {
		c.Launches++
		s.dev.launches[opName(own.op)]++
	})
}

func (s *stream) CopyIn(dst engine.Buffer, src []byte) {
	s.copied(dst, len(src), func(c *Counts) { c.CopiedIn += int64(len(src)) })
}

func (s *stream) CopyOut(dst []byte, src engine.Buffer) {
	clear(dst)
	s.copied(src, len(dst), func(c *Counts) { c.CopiedOut += int64(len(dst)) })
}

// copied counts a copy that fits the buffer.
func (s *stream) copied(b engine.Buffer, n int, f func(c *Counts)) {
	switch {
	case s.err != nil:
	case int64(n) > b.Bytes():
		s.err = fmt.Errorf("null: copying %d bytes, the buffer has %d", n, b.Bytes())
	default:
		s.dev.count(f)
	}
}

func (s *stream) Zero(engine.Buffer) {}

func (s *stream) Sync() error {
	err := s.err
	s.err = nil
	return err
}

func (s *stream) Close() error { return nil }
