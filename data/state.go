package data

import (
	"encoding/json"
	"fmt"
)

// state is what Loader.State writes: all that the batches to come depend on, besides the data itself and the layer's parameters.
type state struct {
	Version int      `json:"version"`
	Source  string   `json:"source"`
	Len     int64    `json:"len"` // records in a round; -1 if not known
	Next    progress `json:"next"`
	Seed    uint32   `json:"transform_seed,omitempty"`
	Shuffle uint32   `json:"shuffle_seed,omitempty"`
}

const stateVersion = 1

// State is the place after the batches that Next has given, and the layer's random state, as JSON. Batches made ahead do not count.
func (l *Loader) State() ([]byte, error) {
	s := state{Version: stateVersion, Source: l.source.Name(), Len: l.source.Len(), Next: l.consumed, Seed: l.seed}
	switch source := l.source.(type) {
	case *listSource:
		s.Shuffle = source.seed
	case *windowSource:
		s.Shuffle = source.seed
	}
	return json.Marshal(s)
}

// Restore goes on where State was taken: the next batches are those that an uninterrupted run would have had.
func (l *Loader) Restore(b []byte) error {
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("not the position of a data layer: %w", err)
	}
	if s.Version != stateVersion {
		return fmt.Errorf("the position of %s is in format %d, this program knows %d", s.Source, s.Version, stateVersion)
	}
	if have := l.source.Len(); s.Len >= 0 && have >= 0 && have != s.Len {
		return fmt.Errorf("%s has %d records, but %s had %d when the position was kept: resume with the data of that run",
			l.source.Name(), have, s.Source, s.Len)
	}
	if err := s.Next.check(); err != nil {
		return fmt.Errorf("the position of %s is corrupt: %w", s.Source, err)
	}
	l.stop()
	l.err, l.consumed, l.seed = nil, s.Next, s.Seed
	switch source := l.source.(type) {
	case *listSource:
		if source.order != nil {
			source.seed = s.Shuffle
		}
	case *windowSource:
		source.seed = s.Shuffle
	}
	return l.source.Seek(s.Next.Mark)
}

// check refuses numbers that no run comes to: going to a place takes time in proportion to them.
func (p progress) check() error {
	const longest = 1 << 40
	for _, n := range []int64{p.Pos, p.Round, p.Offset, p.Records} {
		if n < 0 || n > longest {
			return fmt.Errorf("%d records or rounds", n)
		}
	}
	return nil
}
