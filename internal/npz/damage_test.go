package npz

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/internal/damagetest"
)

// whole is an archive of some arrays as Write makes it.
func whole(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	err := Write(&b, map[string]Array{"scalar": {Shape: []int{}, Data: []float32{7}}, "m": {Shape: []int{2, 3}, Data: make([]float32, 6)}})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read reads an archive from a file. An error names it.
func read(t testing.TB, name, path string, b []byte) (map[string]Array, error) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	arrays, err := Read(path)
	if err != nil && !strings.Contains(err.Error(), path) {
		t.Errorf("%s: the error does not name the file: %v", name, err)
	}
	for member, a := range arrays {
		if a.Count() != len(a.Data) {
			t.Errorf("%s: %s has shape %v and %d values", name, member, a.Shape, len(a.Data))
		}
	}
	return arrays, err
}

// An archive cut anywhere is an error. A flip is one, or another name: values have checksums.
func TestDamagedArchive(t *testing.T) {
	b, path := whole(t), filepath.Join(t.TempDir(), "x.npz")
	damagetest.Each(t, b, 8*len(b), func(name string, damaged []byte) {
		damagetest.Within(t, name, 8<<20, func() {
			arrays, err := read(t, name, path, damaged)
			if err == nil && len(damaged) < len(b) {
				t.Errorf("%s: no error", name)
			}
			if err == nil && len(arrays) > 2 {
				t.Errorf("%s: %d members", name, len(arrays))
			}
		})
	})
}

// FuzzRead: whatever is in an archive, its arrays come to no more than 1,032 times its size, deflate's limit, or an error names the file.
func FuzzRead(f *testing.F) {
	f.Add(whole(f))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	path := filepath.Join(f.TempDir(), "x.npz")
	f.Fuzz(func(t *testing.T, b []byte) {
		damagetest.Within(t, "npz", 8<<20+uint64(1032*8*len(b)), func() { _, _ = read(t, "npz", path, b) })
	})
}

// FuzzMember: the same for one member, whose checksum is right.
func FuzzMember(f *testing.F) {
	for _, npy := range []string{
		member("<f4", "False", "(2,)", "12345678"), member(">i8", "True", "(2, 1)", "1234567890123456"), member("|b1", "False", "()", "1"),
		member("<f4", "False", "(2000000000, 2000000000)", ""), member("<f4", "False", "(0, 4000000000000000000, 5)", ""), "\x93NUMPY\x02\x00\xff\xff\xff\x7f{}",
	} {
		f.Add(npy)
	}
	f.Fuzz(func(t *testing.T, npy string) {
		path := archive(t, npy)
		damagetest.Within(t, "member", 8<<20+uint64(100*len(npy)), func() {
			arrays, err := Read(path)
			if err != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name the file: %v", err)
			}
			for _, a := range arrays {
				if a.Count() != len(a.Data) {
					t.Errorf("shape %v and %d values", a.Shape, len(a.Data))
				}
			}
		})
	})
}
