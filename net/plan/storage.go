package plan

import (
	"errors"
	"sort"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// Storage is the memory of params and states, which outlive plans: a net that
// changes its input's shape, or a test net beside its train net, compiles
// against the same Storage. A tensor is found by its value's name; its layout is
// that of the first plan that used it.
type Storage struct {
	dev                    engine.Device
	entries                map[string]*entry
	arenas                 []engine.Buffer
	paramBytes, stateBytes int64
	running                *Plan // the one that may be at work on them
}

type entry struct {
	desc    engine.Desc
	buf     engine.Buffer
	version int // counts what was written: what was derived from an older one is made anew
}

// NewStorage is an empty storage on dev.
func NewStorage(dev engine.Device) *Storage {
	return &Storage{dev: dev, entries: map[string]*entry{}}
}

// Close frees the memory. Plans of the storage must not run afterwards.
func (s *Storage) Close() error {
	var errs []error
	for _, b := range s.arenas {
		errs = append(errs, b.Close())
	}
	s.arenas, s.entries = nil, map[string]*entry{}
	return errors.Join(errs...)
}

// Has reports whether the storage holds a tensor of that name already.
func (s *Storage) Has(name string) bool {
	_, ok := s.entries[name]
	return ok
}

// ensure allocates what the program's params and states still lack: one arena
// for the params and one for the states, each in the order of the graph, zeroed.
func (s *Storage) ensure(p *program, stream engine.Stream) error {
	for _, origin := range []graph.Origin{graph.FromParam, graph.FromState} {
		var missing []graph.Value
		for v, key := range p.keys {
			if p.values[v].Origin == origin && !s.Has(key) {
				missing = append(missing, v)
			}
		}
		sort.Slice(missing, func(i, j int) bool { return missing[i] < missing[j] })
		if err := s.allocate(p, missing, origin, stream); err != nil {
			return err
		}
	}
	return nil
}

func (s *Storage) allocate(p *program, missing []graph.Value, origin graph.Origin, stream engine.Stream) error {
	var total int64
	for _, v := range missing {
		total += aligned(p.bytes(p.desc(v)))
	}
	if total == 0 {
		return nil
	}
	arena, err := s.dev.Alloc(total)
	if err != nil {
		return err
	}
	s.arenas = append(s.arenas, arena)
	stream.Zero(arena)
	var at int64
	for _, v := range missing {
		n := p.bytes(p.desc(v))
		s.entries[p.keys[v]] = &entry{desc: p.desc(v), buf: arena.Slice(at, n), version: 1}
		at += aligned(n)
	}
	if origin == graph.FromParam {
		s.paramBytes += total
	} else {
		s.stateBytes += total
	}
	return nil
}
