//go:build cgo && linux

package cuda

import (
	"errors"
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

func init() { engine.Register(Name, Open) }

// stream is a queue for kernels and one for large copies to the GPU, which events keep
// in the order of the calls.
type stream struct {
	dev     *device
	compute *shim.Stream
	copies  *shim.Stream
	tail    *shim.Event // what compute held when the last large copy was queued
	in      staging
	ahead   uploads
	out     collection
	err     error
}

func newStream(d *device) (*stream, error) {
	s := &stream{dev: d}
	var err error
	if s.compute, err = d.ctx.NewStream(); err != nil {
		return nil, d.failed(err)
	}
	if s.copies, err = d.ctx.NewStream(); err != nil {
		return nil, joinFailed(d, err, s.compute.Close())
	}
	if s.tail, err = d.ctx.NewEvent(); err != nil {
		return nil, joinFailed(d, err, s.compute.Close(), s.copies.Close())
	}
	return s, nil
}

// Asynchronous implements engine.Asynchronous: what is copied in goes through pinned
// memory, all else stays on the GPU.
func (s *stream) Asynchronous() {}

// fail keeps the first failure.
func (s *stream) fail(err error) {
	if s.err == nil && err != nil {
		s.err = s.dev.failed(err)
	}
}

// Launch implements engine.Stream.
func (s *stream) Launch(k engine.Kernel, args *engine.Args) {
	if s.err != nil {
		return
	}
	own, ok := k.(*kernel)
	if !ok {
		s.err = fmt.Errorf("cuda: cannot launch a %T: it was prepared by another engine", k)
		return
	}
	l, err := s.bind(own, args)
	if err != nil {
		s.err = err
		return
	}
	if err := own.run(l); err != nil {
		s.fail(fmt.Errorf("%T: %w", own.op, err))
	}
}

// bind looks up the addresses of a launch.
func (s *stream) bind(k *kernel, args *engine.Args) (*launch, error) {
	if len(args.In) != k.in || len(args.Out) != k.out {
		return nil, fmt.Errorf("cuda: a launch of %T with %d inputs and %d outputs, prepared for %d and %d", k.op, len(args.In), len(args.Out), k.in, k.out)
	}
	l := &launch{queue: s.compute, in: make([]uint64, k.in), out: make([]uint64, k.out)}
	for i, b := range args.In {
		if b == nil {
			return nil, fmt.Errorf("cuda: a launch of %T without input %d", k.op, i)
		}
		if err := s.put(&l.in[i], b); err != nil {
			return nil, err
		}
	}
	for i, b := range args.Out {
		if b == nil {
			continue
		}
		if err := s.put(&l.out[i], b); err != nil {
			return nil, err
		}
	}
	if k.workspace == 0 {
		return l, nil
	}
	if args.Workspace == nil || args.Workspace.Bytes() < k.workspace {
		return nil, fmt.Errorf("cuda: a launch of %T without the %d bytes of workspace that it needs", k.op, k.workspace)
	}
	return l, s.put(&l.workspace, args.Workspace)
}

func (s *stream) put(at *uint64, b engine.Buffer) error {
	own, err := s.own(b)
	if err == nil {
		*at = own.at
	}
	return err
}

// own is a buffer of this GPU.
func (s *stream) own(b engine.Buffer) (*buffer, error) {
	own, ok := b.(*buffer)
	if !ok || own.dev.ctx != s.dev.ctx {
		return nil, fmt.Errorf("cuda: a %T is memory of another engine or GPU", b)
	}
	return own, nil
}

// CopyIn implements engine.Stream.
func (s *stream) CopyIn(dst engine.Buffer, src []byte) {
	if s.err != nil {
		return
	}
	b, err := s.own(dst)
	if err == nil && int64(len(src)) > b.bytes {
		err = fmt.Errorf("cuda: copying %d bytes into a buffer of %d", len(src), b.bytes)
	}
	if err != nil {
		s.err = err
		return
	}
	s.fail(s.copyIn(b.at, src))
}

// copyIn sends a small copy down the compute queue. A large one goes through the queue
// of copies, which runs beside the compute queue's until that reaches the copy's place, or
// through a slot, where it may run beside the work that still reads the last one.
func (s *stream) copyIn(at uint64, src []byte) error {
	if len(src) <= smallCopy {
		_, err := s.in.send(s.dev.ctx, s.compute, at, src)
		return err
	}
	pair, err := s.ahead.slots(s.dev, target{at, len(src)})
	if err != nil {
		return err
	}
	if pair != nil {
		return s.upload(pair, at, src)
	}
	if err := errors.Join(s.compute.Record(s.tail), s.copies.Wait(s.tail)); err != nil {
		return err
	}
	last, err := s.in.send(s.dev.ctx, s.copies, at, src)
	if err != nil {
		return err
	}
	return s.compute.Wait(last)
}

// CopyOut implements engine.Stream: dst has the bytes after Sync.
func (s *stream) CopyOut(dst []byte, src engine.Buffer) {
	if s.err != nil {
		return
	}
	b, err := s.own(src)
	if err == nil && int64(len(dst)) > b.bytes {
		err = fmt.Errorf("cuda: copying %d bytes out of a buffer of %d", len(dst), b.bytes)
	}
	if err != nil {
		s.err = err
		return
	}
	s.fail(s.out.fetch(s.dev.ctx, s.compute, dst, b.at))
}

// Zero implements engine.Stream.
func (s *stream) Zero(dst engine.Buffer) {
	if s.err != nil {
		return
	}
	b, err := s.own(dst)
	if err != nil {
		s.err = err
		return
	}
	if b.bytes > 0 {
		s.fail(s.compute.Fill(b.at, 0, b.bytes))
	}
}

// Sync implements engine.Stream.
func (s *stream) Sync() error {
	s.sync()
	err := s.err
	s.err = nil
	return err
}

// sync waits for both queues, delivers what was copied out, and looks for kernels that
// met bad data.
func (s *stream) sync() {
	raised, err := s.out.collectFlags(s.dev, s.compute)
	s.fail(err)
	s.fail(s.compute.Sync())
	s.fail(s.copies.Sync())
	if s.err != nil {
		s.out.drop()
		return
	}
	s.out.deliver()
	if bad := s.dev.flags.read(raised); bad != nil {
		s.fail(s.dev.flags.reset(s.dev))
		if s.err == nil {
			s.err = bad // as it is: the plan names the layer by its type
		}
	}
}

// Close implements engine.Stream.
func (s *stream) Close() error {
	return s.dev.freed(s.ahead.close(), s.in.close(s.dev.ctx), s.out.close(s.dev.ctx), s.tail.Close(), s.copies.Close(), s.compute.Close())
}
