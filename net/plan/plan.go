// Package plan turns a graph into a list of steps for one device: what nobody
// needs is pruned, neighbours are fused, layouts are chosen, memory is laid out
// in arenas and every kernel is prepared. Nothing is allocated or decided after
// Compile; Run only launches.
package plan

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// Options says what Compile may do.
type Options struct {
	// Keep lists values that Fetch can read after a run, besides params, states
	// and the total loss.
	Keep []graph.Value
	// NoFuse and NoReuse turn off fusion and the reuse of memory. The environment
	// variables GOCAFFE_FUSE=0 and GOCAFFE_REUSE=0 do so for a whole process.
	NoFuse, NoReuse bool
	// Storage holds params and states between plans. Nil makes a new one, which
	// the plan then owns.
	Storage *Storage
	// Owner tells the states of nets apart that share a storage: each has its own,
	// while params of one name are shared.
	Owner string
	// Note is told once of each op that the device lacks and that runs on the
	// host instead. Nil: nobody is told.
	Note func(text string)
}

// Plan is a compiled graph. It is used by one goroutine at a time.
type Plan struct {
	*program
	ownStorage bool
	stream     engine.Stream
	arena      engine.Buffer
	scratch    engine.Buffer
	reorders   map[string]engine.Kernel
	recordings recordings
	launched   uint // directions that have run
	ahead      bool // the host need not wait for a run
	pending    uint // directions that were launched and not waited for
}

// pass is one stage of Compile.
type pass struct {
	name string
	run  func(*program) error
}

// passes run in this order on every graph. Precision comes before fusion, so that what
// the device cannot fuse in BF16 is still BF16; fusion comes before layout because a
// fused op prefers layouts of its own; layout before schedule and memory because a
// layout decides the size.
var passes = []pass{
	{"prune", prune},
	{"precision", precision},
	{"fuse", fuse},
	{"layout", layout},
	{"assign", assign},
	{"join", join},
	{"schedule", schedule},
	{"derive", derive},
	{"parts", parts},
	{"memory", memory},
}

// Compile makes the plan of g on dev.
func Compile(g *graph.Graph, dev engine.Device, o Options) (*Plan, error) {
	o.NoFuse = o.NoFuse || os.Getenv("GOCAFFE_FUSE") == "0"
	o.NoReuse = o.NoReuse || os.Getenv("GOCAFFE_REUSE") == "0"
	p := &Plan{program: newProgram(g, dev, o), reorders: map[string]engine.Kernel{}, recordings: recordings{}}
	if p.storage == nil {
		p.storage, p.ownStorage = NewStorage(dev), true
	}
	if err := p.compile(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Plan) compile() error {
	for _, s := range passes {
		if err := s.run(p.program); err != nil {
			return fmt.Errorf("plan: %s: %w", s.name, err)
		}
	}
	if err := p.verify(); err != nil {
		return err
	}
	return p.bind()
}

// Run runs the steps of the given directions, in the plan's order. On an asynchronous
// stream they may run on when it returns: what reads their results waits for them, and an
// error is told then.
// CPU engines keep a team of threads for each OS thread that launches, so the
// goroutine is pinned while the steps run; a caller that runs often pins itself.
func (p *Plan) Run(dirs ...graph.Direction) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.begin(); err != nil {
		return err
	}
	want := directions(dirs)
	p.pending |= want
	if err := p.launch(want); err != nil {
		p.pending = 0 // it is told now
		p.forget()
		return err
	}
	p.pending |= want
	if p.ahead {
		return nil
	}
	return p.Wait()
}

// begin waits for another plan that works on the same params and states.
func (p *Plan) begin() error {
	other := p.storage.running
	p.storage.running = p
	if other == nil || other == p {
		return nil
	}
	return other.Wait()
}

// Wait waits for all that was launched. A kernel's error names its step only where the
// engine ran it at once; otherwise the directions are all that is known.
func (p *Plan) Wait() error {
	err := p.stream.Sync()
	want := p.pending
	p.pending = 0
	if err == nil {
		return nil
	}
	p.forget()
	var label *engine.LabelError
	var index *engine.IndexError
	if errors.As(err, &label) || errors.As(err, &index) {
		for _, s := range p.steps {
			if want&(1<<s.Dir) != 0 && (label != nil && readsLabels(s.Op) || index != nil && readsIndices(s.Op)) {
				return p.stepError(s, err)
			}
		}
	}
	return err
}

func readsLabels(op engine.Op) bool {
	switch op.(type) {
	case engine.SoftmaxLoss, engine.Accuracy, engine.SoftmaxLossGrad, engine.InfogainLoss, engine.InfogainLossGrad, engine.OneHot:
		return true
	}
	return false
}

func readsIndices(op engine.Op) bool {
	switch op.(type) {
	case engine.Gather, engine.GatherGrad:
		return true
	}
	return false
}

func (p *Plan) stepError(s *Step, err error) error {
	if s.Layer < 0 {
		return err
	}
	return p.g.Layers[s.Layer].Errorf("%w", err)
}

func directions(dirs []graph.Direction) uint {
	var want uint
	for _, d := range dirs {
		want |= 1 << d
	}
	return want
}

// RunTimed is Run with every step timed on its own, which keeps steps from
// overlapping: for `time`, not for training.
func (p *Plan) RunTimed(observe func(s *Step, d time.Duration), dirs ...graph.Direction) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.begin(); err != nil {
		return err
	}
	if err := p.Wait(); err != nil {
		return err
	}
	want := directions(dirs)
	for _, s := range p.steps {
		if want&(1<<s.Dir) == 0 || s.fresh() {
			continue
		}
		start := time.Now()
		var err error
		if s.host != nil {
			err = p.runHost(s)
		} else {
			p.stream.Launch(s.kernel, &s.args)
			err = p.stream.Sync()
		}
		if err != nil {
			p.forget()
			return p.stepError(s, err)
		}
		s.changed()
		observe(s, time.Since(start))
	}
	return nil
}

// Ahead reports whether Run may return before its work is done.
func (p *Plan) Ahead() bool { return p.ahead }

// Steps lists the steps in the order in which they run.
func (p *Plan) Steps() []*Step { return p.steps }

// Desc describes a value of a step as it lies in memory.
func (p *Plan) Desc(v graph.Value) engine.Desc { return p.desc(v) }

// Device is the device that the plan runs on.
func (p *Plan) Device() engine.Device { return p.dev }

// Memory is what a plan occupies, in bytes.
type Memory struct {
	Params, States int64 // shared by all plans of the storage
	Activations    int64 // feeds, activations and gradients, and scratch of the kernels between them
	// Gradients and Copies are parts of Activations: the gradients of params, and params
	// in further layouts.
	Gradients, Copies int64
}

// Memory tells the sizes of the plan's arenas.
func (p *Plan) Memory() Memory {
	m := Memory{Params: p.storage.paramBytes, States: p.storage.stateBytes, Activations: p.arenaSize}
	seen := map[graph.Value]bool{}
	count := func(v graph.Value) int64 {
		root := p.values[v].root
		if seen[root] {
			return 0
		}
		seen[root] = true
		return p.values[root].bytes // 0 where it lies in the storage, or nobody makes it
	}
	for _, prm := range p.g.Params {
		if prm.Grad != graph.None {
			m.Gradients += count(prm.Grad)
		}
	}
	for _, s := range p.steps {
		if s.derives {
			m.Copies += count(s.Out[0])
		}
	}
	return m
}

// Close frees the kernels and the arenas; params and states stay with a Storage
// that the caller gave.
func (p *Plan) Close() error {
	var errs []error
	if p.pending != 0 {
		errs = append(errs, p.Wait())
	}
	if p.storage != nil && p.storage.running == p {
		p.storage.running = nil
	}
	errs = append(errs, p.recordings.closeAll())
	for _, k := range p.kernels {
		errs = append(errs, k.Close())
	}
	for _, k := range p.reorders {
		errs = append(errs, k.Close())
	}
	for _, b := range []engine.Buffer{p.arena, p.scratch} {
		if b != nil {
			errs = append(errs, b.Close())
		}
	}
	if p.stream != nil {
		errs = append(errs, p.stream.Close())
	}
	if p.ownStorage {
		errs = append(errs, p.storage.Close())
	}
	return errors.Join(errs...)
}
