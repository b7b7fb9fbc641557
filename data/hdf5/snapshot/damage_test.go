package snapshot

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/internal/damagetest"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// smallFiles are weights and a state as we write them.
func smallFiles(t testing.TB) (weights, state []byte) {
	t.Helper()
	path, iter := filepath.Join(t.TempDir(), "x.h5"), int32(3)
	ip := "ip"
	blob := proto.NewBlob([]int{2, 2}, []float32{1, 2, 3, 4})
	read := func(err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	weights = read(HDF5{}.WriteWeights(path, &caffepb.NetParameter{Layer: []*caffepb.LayerParameter{{Name: &ip, Blobs: []*caffepb.BlobProto{blob}}}}))
	state = read(HDF5{}.WriteState(path, &caffepb.SolverState{Iter: &iter, History: []*caffepb.BlobProto{blob}}))
	return weights, state
}

// readBoth reads a file as weights and as a state. Errors name it, and blobs have as many values as their shapes say.
func readBoth(t testing.TB, name, path string, b []byte) (asWeights, asState error) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	w, asWeights := HDF5{}.ReadWeights(path)
	s, asState := HDF5{}.ReadState(path)
	for _, err := range []error{asWeights, asState} {
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error does not name the file: %v", name, err)
		}
	}
	blobs := s.GetHistory()
	for _, l := range w.GetLayer() {
		blobs = append(blobs, l.Blobs...)
	}
	for _, blob := range blobs {
		if _, err := proto.BlobData(blob); blob.Shape != nil && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return asWeights, asState
}

func TestDamagedSnapshots(t *testing.T) {
	needLibrary(t)
	weights, state := smallFiles(t)
	path := filepath.Join(t.TempDir(), "x.h5")
	const each = 250 // of cuts, bytes and bits
	for i, whole := range [][]byte{weights, state} {
		failed := 0
		damagetest.Each(t, whole, each, func(name string, b []byte) {
			damagetest.Within(t, name, 16<<20, func() {
				asWeights, asState := readBoth(t, name, path, b)
				if [2]error{asWeights, asState}[i] != nil {
					failed++
				} else if len(b) < len(whole) {
					t.Errorf("%s: no error", name)
				}
			})
		})
		// Much of such a file is padding.
		if failed < each {
			t.Errorf("%d damages were found, want more", failed)
		}
	}
}

// A group that lies in itself ends in an error, not in an endless walk.
func TestGroupInItself(t *testing.T) {
	needLibrary(t)
	weights, _ := smallFiles(t)
	const superblockRoot, entry = 56, 40 // the entry of the root group, as symbol tables have it
	table := bytes.Index(weights, []byte("SNOD"))
	if table < 0 {
		t.Fatal("the file has no symbol table")
	}
	copy(weights[table+8+8:table+8+entry], weights[superblockRoot+8:superblockRoot+entry]) // all but the name
	path := filepath.Join(t.TempDir(), "x.h5")
	damagetest.Within(t, "cycle", 64<<20, func() {
		if err, _ := readBoth(t, "cycle", path, weights); !errors.Is(err, errCycle) {
			t.Errorf("got %v", err)
		}
	})
}

// FuzzRead: whatever is in a file, it is read as weights and as a state, or an error names it.
func FuzzRead(f *testing.F) {
	if _, err := (HDF5{}).ReadState("/"); err != nil && strings.Contains(err.Error(), "libhdf5") {
		f.Skip(err)
	}
	weights, state := smallFiles(f)
	f.Add(weights)
	f.Add(state)
	path := filepath.Join(f.TempDir(), "x.h5")
	f.Fuzz(func(t *testing.T, b []byte) {
		damagetest.Within(t, "snapshot", 32<<20+uint64(len(b))*1032*8, func() { _, _ = readBoth(t, "snapshot", path, b) })
	})
}
