package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/gocaffe/gocaffe/solver"
)

// errTerminated: the training stopped because of SIGTERM, with its snapshot written.
var errTerminated = errors.New("stopped by SIGTERM")

// effects are what -sigint_effect and -sighup_effect can be.
var effects = map[string]solver.Action{"snapshot": solver.Snapshot, "stop": solver.Stop, "none": solver.None}

// signals turns signals into actions of the solver, which asks after each iteration and before each batch of a test. SIGTERM, which
// Caffe does not handle, writes a snapshot and stops; a second one kills the process at once.
type signals struct {
	hup, intr, term chan os.Signal
	onHup, onInt    solver.Action
	terminated      bool // SIGTERM was asked about
}

// watch starts to catch signals, with effects as the flags name them.
func (f *flags) watch() (*signals, error) {
	s := &signals{hup: make(chan os.Signal, 1), intr: make(chan os.Signal, 1), term: make(chan os.Signal, 1)}
	for _, e := range []struct {
		value  string
		action *solver.Action
	}{{f.sigint, &s.onInt}, {f.sighup, &s.onHup}} {
		action, ok := effects[e.value]
		if !ok {
			return nil, fatalf("caffe.cpp", 162, `Invalid signal effect "%s" was specified; it is snapshot, stop or none`, e.value)
		}
		*e.action = action
	}
	signal.Notify(s.hup, syscall.SIGHUP)
	signal.Notify(s.intr, syscall.SIGINT)
	signal.Notify(s.term, syscall.SIGTERM)
	return s, nil
}

// close lets signals have their usual effects again.
func (s *signals) close() {
	signal.Stop(s.hup)
	signal.Stop(s.intr)
	signal.Stop(s.term)
}

// action is what the signals since the last call ask for. SIGHUP comes before SIGINT, as in Caffe.
func (s *signals) action() solver.Action {
	select {
	case <-s.hup:
		return s.onHup
	default:
	}
	select {
	case <-s.intr:
		return s.onInt
	default:
	}
	select {
	case <-s.term:
		signal.Stop(s.term)
		s.terminated = true
		return solver.SnapshotStop
	default:
		return solver.None
	}
}
