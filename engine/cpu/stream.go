package cpu

import (
	"fmt"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cpu/internal/dnnl"
)

// kernel is a prepared op with what a launch must bring.
type kernel struct {
	*dnnl.Kernel
	in, out   int
	workspace int64
}

func newKernel(k *dnnl.Kernel, in int, out []engine.Desc) *kernel {
	return &kernel{Kernel: k, in: in, out: len(out), workspace: k.Workspace()}
}

func (k *kernel) Workspace() int64 { return k.workspace }

// stream runs each call at once; it only remembers the first failure.
type stream struct {
	threads int
	err     error
}

// Launch implements engine.Stream.
func (s *stream) Launch(k engine.Kernel, args *engine.Args) {
	if s.err != nil {
		return
	}
	own, ok := k.(*kernel)
	if !ok {
		s.err = fmt.Errorf("cpu: cannot launch a %T: it was prepared by another engine", k)
		return
	}
	if s.err = own.fill(args); s.err == nil {
		s.err = own.Run()
	}
}

// fill writes the buffers' addresses into the kernel's argument block.
func (k *kernel) fill(args *engine.Args) error {
	if len(args.In) != k.in || len(args.Out) != k.out {
		return fmt.Errorf("cpu: a launch with %d inputs and %d outputs, prepared for %d and %d", len(args.In), len(args.Out), k.in, k.out)
	}
	block := k.Block()
	for i, b := range args.In {
		if err := put(&block[i], b); err != nil {
			return err
		}
	}
	for i, b := range args.Out {
		if err := put(&block[k.in+i], b); err != nil {
			return err
		}
	}
	if k.workspace == 0 {
		return nil
	}
	if args.Workspace == nil || args.Workspace.Bytes() < k.workspace {
		return fmt.Errorf("cpu: a launch without the %d bytes of workspace that it needs", k.workspace)
	}
	return put(&block[k.in+k.out], args.Workspace)
}

// put stores a buffer's address. Only C's memory may be kept there.
func put(at *unsafe.Pointer, b engine.Buffer) error {
	if b == nil {
		*at = nil
		return nil
	}
	own, ok := b.(*buffer)
	if !ok {
		return fmt.Errorf("cpu: a launch on a %T: it is memory of another engine", b)
	}
	*at, own.zero = own.at, false
	return nil
}

func (s *stream) CopyIn(dst engine.Buffer, src []byte) {
	if s.err != nil {
		return
	}
	if b, ok := dst.(*buffer); !ok || int64(len(src)) > b.bytes {
		s.err = fmt.Errorf("cpu: copying %d bytes into a %T of %d", len(src), dst, dst.Bytes())
	} else {
		copy(b.mem(), src)
		b.zero = false
	}
}

func (s *stream) CopyOut(dst []byte, src engine.Buffer) {
	if s.err != nil {
		return
	}
	if b, ok := src.(*buffer); !ok || int64(len(dst)) > b.bytes {
		s.err = fmt.Errorf("cpu: copying %d bytes out of a %T of %d", len(dst), src, src.Bytes())
	} else {
		copy(dst, b.mem())
	}
}

func (s *stream) Zero(dst engine.Buffer) {
	if s.err != nil {
		return
	}
	if b, ok := dst.(*buffer); ok && b.zero {
		return // clearing it would only take its memory from the system
	} else if ok {
		dnnl.Zero(b.at, b.bytes, s.threads)
	} else {
		s.err = fmt.Errorf("cpu: clearing a %T: it is memory of another engine", dst)
	}
}

func (s *stream) Sync() error {
	err := s.err
	s.err = nil
	return err
}

func (s *stream) Close() error { return nil }
