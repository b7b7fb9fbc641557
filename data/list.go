package data

import (
	"errors"
	"fmt"

	"github.com/gocaffe/gocaffe/data/imagelist"
	"github.com/gocaffe/gocaffe/rng"
)

// listSource is the images of a list, in its order or shuffled anew for each round.
type listSource struct {
	name, root string
	entries    []imagelist.Entry
	masks      []string // label images of the entries, or nil
	order      []int32  // of entries; nil without shuffling
	seed       uint32   // of shuffle
	shuffle    *rng.Source
	at         Mark
}

func openList(path, root string, compat bool) (*listSource, error) {
	entries, err := imagelist.Read(path, imagelist.Options{Compat: compat})
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("image list %s: File is empty", path)
	}
	return &listSource{name: path, root: root, entries: entries}, nil
}

// startShuffle shuffles the list, now and at the start of each round.
func (s *listSource) startShuffle(seed uint32) {
	s.seed = seed
	s.shuffle = rng.New(seed)
	s.order = make([]int32, len(s.entries))
	for i := range s.order {
		s.order[i] = int32(i)
	}
	s.reshuffle()
}

func (s *listSource) reshuffle() {
	s.shuffle.Shuffle(len(s.order), func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
}

func (s *listSource) Next(rec *Record) (last bool, err error) {
	i := int32(s.at.Pos)
	if s.order != nil {
		i = s.order[i]
	}
	e := &s.entries[i]
	*rec = Record{File: e.Path, Label: e.Label, Line: int(e.Line)}
	if s.root != "" {
		rec.File = s.root + e.Path
	}
	if s.masks != nil {
		rec.Mask = s.root + s.masks[i]
	}
	if s.at.Pos++; s.at.Pos < s.Len() {
		return false, nil
	}
	s.at = Mark{Round: s.at.Round + 1}
	if s.order != nil {
		s.reshuffle()
	}
	return true, nil
}

// Seek goes to a round by shuffling again as often as it has been shuffled: each round permutes the one before.
func (s *listSource) Seek(m Mark) error {
	if m.Pos < 0 || m.Pos >= s.Len() || m.Round < 0 {
		return fmt.Errorf("image list %s has %d images, none at position %d", s.name, s.Len(), m.Pos)
	}
	if s.order != nil {
		s.startShuffle(s.seed)
		for range m.Round {
			s.reshuffle()
		}
	}
	s.at = m
	return nil
}

func (s *listSource) Len() int64   { return int64(len(s.entries)) }
func (s *listSource) Name() string { return s.name }
func (s *listSource) Close() error { return nil }

// skip passes over the first n images of the list.
func (s *listSource) skip(n int64) error {
	if n >= s.Len() {
		return errors.New("Not enough points to skip: rand_skip is larger than the list")
	}
	return s.Seek(Mark{Pos: n})
}
