package ref

import (
	"fmt"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// stream runs each call at once; it only remembers the first failure.
type stream struct{ err error }

func (s *stream) Launch(k engine.Kernel, args *engine.Args) {
	s.do(func() error {
		r, ok := k.(Runner)
		if !ok {
			return fmt.Errorf("ref: cannot launch a %T: it was prepared by another engine", k)
		}
		return r.Run(args)
	})
}

func (s *stream) CopyIn(dst engine.Buffer, src []byte) {
	s.do(func() error {
		if int64(len(src)) > dst.Bytes() {
			return fmt.Errorf("ref: copying %d bytes into a buffer of %d", len(src), dst.Bytes())
		}
		copy(bytesOf(dst), src)
		return nil
	})
}

func (s *stream) CopyOut(dst []byte, src engine.Buffer) {
	s.do(func() error {
		if int64(len(dst)) > src.Bytes() {
			return fmt.Errorf("ref: copying %d bytes out of a buffer of %d", len(dst), src.Bytes())
		}
		copy(dst, bytesOf(src))
		return nil
	})
}

func (s *stream) Zero(dst engine.Buffer) {
	s.do(func() error {
		clear(bytesOf(dst))
		return nil
	})
}

func (s *stream) Sync() error {
	err := s.err
	s.err = nil
	return err
}

func (s *stream) Close() error { return nil }

func (s *stream) do(f func() error) {
	if s.err == nil {
		s.err = f()
	}
}

// bytesOf is the memory of a buffer.
func bytesOf(b engine.Buffer) []byte { return unsafe.Slice((*byte)(b.Host()), b.Bytes()) }
