package plan

import (
	"errors"
	"fmt"
	"os"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// recording is what the plan knows of one set of directions.
type recording struct {
	replay engine.Replay
	never  bool // it cannot be recorded
}

// recordings are those of a plan, by the set of directions.
type recordings map[uint]*recording

// launch queues the steps of the given directions. Where the stream can, they are recorded
// and replayed from then on: all addresses are fixed once Compile is done, and what
// changes from run to run is read from the device's memory. Each step's first run is
// launched by itself, for libraries that make ready at their first call.
// GOCAFFE_CAPTURE=0 keeps it so for all.
func (p *Plan) launch(want uint) error {
	r := p.recordings[want]
	if r == nil {
		r = &recording{never: os.Getenv("GOCAFFE_CAPTURE") == "0" || !p.recordable(want)}
		p.recordings[want] = r
	}
	if r.never || want&^p.launched != 0 {
		p.launched |= want
		return p.launchEach(want)
	}
	device := p.stream.(engine.Replayer)
	if r.replay == nil {
		if err := p.record(r, device, want); err != nil {
			return err
		}
	}
	if r.never {
		return p.launchEach(want)
	}
	for _, s := range p.steps {
		if want&(1<<s.Dir) != 0 && s.early && !s.fresh() {
			p.stream.Launch(s.kernel, &s.args)
			s.changed()
		}
	}
	device.Replay(r.replay)
	for _, s := range p.steps {
		if want&(1<<s.Dir) != 0 && !s.early {
			s.changed()
		}
	}
	return nil
}

// recordable reports whether the stream can record and all steps are its own.
func (p *Plan) recordable(want uint) bool {
	if _, ok := p.stream.(engine.Replayer); !ok {
		return false
	}
	return !p.any(want, func(s *Step) bool { return s.host != nil })
}

// any reports whether a step of the given directions is so.
func (p *Plan) any(want uint, is func(s *Step) bool) bool {
	for _, s := range p.steps {
		if want&(1<<s.Dir) != 0 && is(s) {
			return true
		}
	}
	return false
}

// record records the steps, but for those that are launched before, where params have
// changed. A library that refuses to be recorded costs speed, not the
// run: the log says it once.
func (p *Plan) record(r *recording, device engine.Replayer, want uint) error {
	if err := p.Wait(); err != nil { // what is queued is not part of it
		return err
	}
	var err error
	r.replay, err = device.Record(func() {
		for _, s := range p.steps {
			if want&(1<<s.Dir) != 0 && !s.early {
				p.stream.Launch(s.kernel, &s.args)
			}
		}
	})
	if err != nil {
		r.never = true
		p.note(fmt.Sprintf("steps are launched one by one, which costs some time: recording them failed: %v", err))
	}
	return nil
}

// note tells the user something once.
func (p *program) note(text string) {
	if p.opts.Note != nil && !p.noted[text] {
		p.noted[text] = true
		p.opts.Note(text)
	}
}

// launchEach launches step by step, but for what is derived from params that have not
// changed.
func (p *Plan) launchEach(want uint) error {
	for _, s := range p.steps {
		if want&(1<<s.Dir) == 0 || s.fresh() {
			continue
		}
		if s.host == nil {
			p.stream.Launch(s.kernel, &s.args)
		} else if err := p.runHost(s); err != nil {
			return p.stepError(s, err)
		}
		s.changed()
	}
	return nil
}

// Replays reports whether Run of these directions replays what was recorded.
func (p *Plan) Replays(dirs ...graph.Direction) bool {
	r := p.recordings[directions(dirs)]
	return r != nil && r.replay != nil
}

// closeAll frees what was recorded.
func (r recordings) closeAll() error {
	var errs []error
	for _, one := range r {
		if one.replay != nil {
			errs = append(errs, one.replay.Close())
		}
	}
	clear(r)
	return errors.Join(errs...)
}
