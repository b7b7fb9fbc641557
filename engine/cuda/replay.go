//go:build cgo && linux

package cuda

import (
	"fmt"
	"runtime"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

// replay is recorded work.
type replay struct {
	dev   *device
	graph *shim.Graph
}

// Close implements engine.Replay.
func (r *replay) Close() error { return r.dev.freed(r.graph.Close()) }

// Record implements engine.Replayer with a CUDA graph. The driver wants a recording to
// be begun and ended by one thread.
func (s *stream) Record(f func()) (engine.Replay, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if s.err != nil {
		return nil, s.Sync()
	}
	if err := s.compute.Capture(); err != nil {
		return nil, s.dev.failed(err)
	}
	f()
	graph, err := s.compute.EndCapture()
	if s.err != nil { // the launch says more than the recording that it spoiled
		err, s.err = s.err, nil
		if graph != nil {
			err = joinFailed(s.dev, err, graph.Close())
		}
		return nil, err
	}
	if err != nil {
		return nil, s.dev.failed(err)
	}
	return &replay{s.dev, graph}, nil
}

// Replay implements engine.Replayer.
func (s *stream) Replay(r engine.Replay) {
	if s.err != nil {
		return
	}
	own, ok := r.(*replay)
	if !ok {
		s.err = fmt.Errorf("cuda: cannot replay a %T: it was recorded by another engine", r)
		return
	}
	s.fail(s.compute.Replay(own.graph))
}
