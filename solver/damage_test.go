package solver

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/internal/damagetest"
)

// snapshots trains a net for two iterations. It returns the solver and the path of the first iteration's state.
func snapshots(t testing.TB) (*Solver, string) {
	t.Helper()
	stem := filepath.Join(t.TempDir(), "s")
	s, err := solve(t, tiny+fmt.Sprintf("max_iter: 2 snapshot: 1 snapshot_prefix: %q", stem), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, stem + "_iter_1.solverstate"
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// resume puts b in place of a file of the snapshot and resumes from it. An error names one of the snapshot's files.
func resume(t testing.TB, name string, s *Solver, state, path string, b []byte) error {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	err := s.restore(state)
	if err != nil && !strings.Contains(err.Error(), strings.TrimSuffix(state, ".solverstate")) {
		t.Errorf("%s: the error does not name the file: %v", name, err)
	}
	return err
}

// Every damage of any of a snapshot's three files is an error: the side file has checksums of all.
func TestDamagedSnapshot(t *testing.T) {
	s, state := snapshots(t)
	if err := s.restore(state); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{state, sidePath(state), strings.TrimSuffix(state, ".solverstate") + ".caffemodel"} {
		whole := read(t, path)
		damagetest.Each(t, whole, 1200, func(name string, b []byte) {
			name = filepath.Base(path) + ": " + name
			damagetest.Within(t, name, 4<<20+uint64(40*len(whole)), func() {
				if err := resume(t, name, s, state, path, b); err == nil {
					t.Errorf("%s: no error", name)
				}
			})
		})
		if err := resume(t, "whole", s, state, path, whole); err != nil {
			t.Error(err)
		}
	}
}

// Without a side file, as Caffe's snapshots are, damage is an error that names the file, or other values.
func TestDamagedState(t *testing.T) {
	s, state := snapshots(t)
	if err := os.Remove(sidePath(state)); err != nil {
		t.Fatal(err)
	}
	whole := read(t, state)
	const currentStep = 2 // bytes of the last field, without which a state is a whole one of an older Caffe
	failed := 0
	damagetest.Each(t, whole, 8*len(whole), func(name string, b []byte) {
		damagetest.Within(t, name, 4<<20, func() {
			if resume(t, name, s, state, state, b) != nil {
				failed++
			} else if lost := len(whole) - len(b); lost > 0 && lost != currentStep {
				t.Errorf("%s: no error", name)
			}
		})
	})
	if failed < 2*len(whole) {
		t.Errorf("%d damages were found, want more", failed)
	}
}

// FuzzRestore: whatever is in a .solverstate, the solver goes on from it or says with the file's name why not.
func FuzzRestore(f *testing.F) {
	s, state := snapshots(f)
	if err := os.Remove(sidePath(state)); err != nil {
		f.Fatal(err)
	}
	whole := read(f, state)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		damagetest.Within(t, "solverstate", 4<<20+uint64(200*len(b)), func() { _ = resume(t, "solverstate", s, state, state, b) })
	})
}

// FuzzRestoreSide: whatever JSON a side file holds, with checksums that are right, the solver goes on from it or says why not.
func FuzzRestoreSide(f *testing.F) {
	s, state := snapshots(f)
	side := sidePath(state)
	_, body, _ := strings.Cut(string(read(f, side)), "\n")
	f.Add(body)
	f.Add("{}")
	f.Add(strings.Replace(body, `"iter": 1`, `"iter": 2`, 1))
	f.Fuzz(func(t *testing.T, body string) {
		header := fmt.Sprintf(sideHeader, sideVersion, len(body), crc32.Checksum([]byte(body), castagnoli))
		damagetest.Within(t, "side file", 4<<20+uint64(200*len(body)), func() { _ = resume(t, "side file", s, state, side, []byte(header+body)) })
	})
}
