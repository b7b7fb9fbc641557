package lmdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/internal/damagetest"
)

// database is the data.mdb of n records, some of them in pages of their own, and the folder that it is in.
func database(t testing.TB, n int) (dir string, whole []byte) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "db")
	w, err := Create(dir, data.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		size := 10 + i*37%700
		if i%17 == 3 {
			size = 5000
		}
		if err := w.Put(fmt.Sprintf("%08d", i), bytes.Repeat([]byte{byte(i)}, size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err = os.ReadFile(filepath.Join(dir, "data.mdb"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, whole
}

// readThrough reads a round of a database with that data.mdb, as far as it goes, and seeks. An error names the folder.
func readThrough(t testing.TB, name, dir string, mdb []byte) (records int, err error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "data.mdb"), mdb, 0o644); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err != nil && !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: the error does not name %s: %v", name, dir, err)
		}
	}()
	s, err := open(dir, data.Discard)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	var rec data.Record
	sum := byte(0)
	for last := false; !last; records++ {
		if last, err = s.Next(&rec); err != nil {
			return records, err
		}
		for _, b := range rec.Value {
			sum += b // every byte can be read
		}
	}
	return records, s.Seek(data.Mark{Pos: s.Len() / 2, After: []byte("00000003")})
}

// Every damage of the file is an error, or as many records as before: LMDB has no checksums, so that values may differ.
func TestDamagedFile(t *testing.T) {
	const n = 60
	dir, whole := database(t, n)
	if len(whole) < 8*4096 || binary.LittleEndian.Uint16(whole[2*4096+10:]) == 0 {
		t.Fatalf("the database has %d bytes", len(whole))
	}
	limit := 2500
	if testing.Short() {
		limit = 300
	}
	failed := 0
	damagetest.Within(t, "all", 1<<30, func() {
		damagetest.Each(t, whole, limit, func(name string, b []byte) {
			got, err := readThrough(t, name, dir, b)
			if err != nil {
				failed++
			} else if got != n {
				t.Errorf("%s: %d records and no error, want %d", name, got, n)
			}
			if err == nil && len(b) < len(whole) {
				t.Errorf("%s: no error", name)
			}
		})
	})
	if failed < limit {
		t.Errorf("%d damages were found, want more", failed)
	}
}

// Damage in the places that lead from page to page is found, and what is wrong is said.
func TestDamagedPages(t *testing.T) {
	dir, whole := database(t, 60)
	const size = 4096
	meta := whole[:size]
	if binary.LittleEndian.Uint64(whole[16+128:]) < binary.LittleEndian.Uint64(whole[size+16+128:]) {
		meta = whole[size : 2*size]
	}
	at := bytes.Index(whole, meta)
	root := int(binary.LittleEndian.Uint64(meta[16+72+40:])) * size
	if whole[root+10] != pageBranch {
		t.Fatal("the root is no branch page")
	}
	node := root + int(binary.LittleEndian.Uint16(whole[root+pageHeader+2:]))
	leaf := int(binary.LittleEndian.Uint32(whole[node:])) * size
	for _, c := range []struct {
		name, want string
		at, width  int
		value      uint64
	}{
		{"root beyond the end", "beyond the file's end", at + 16 + 72 + 40, 8, 1 << 40},
		{"root is a meta page", "it has flags 0x8, want 0x1", at + 16 + 72 + 40, 8, 0},
		{"depth", "it has flags 0x1, want 0x2", at + 16 + 72 + 6, 2, 1},
		{"deeper", "it has flags 0x2, want 0x1", at + 16 + 72 + 6, 2, 5},
		{"too deep", "no LMDB", at + 16 + 72 + 6, 2, 40000},
		{"more records", "record 60 of 61: it is not there", at + 16 + 72 + 32, 8, 61},
		{"endless records", "record 60 of 4611686018427387904: it is not there", at + 16 + 72 + 32, 8, 1 << 62},
		{"fewer records", "records behind the last one", at + 16 + 72 + 32, 8, 59},
		{"other order of keys", "not sorted by their bytes", at + 16 + 72 + 4, 2, 2},
		{"version", "in version 999", at + 16 + 4, 4, 999},
		{"page size", "no LMDB", at + 16 + 24, 4, 1000},
		{"last page", "cut short", at + 16 + 120, 8, 1 << 30},
		{"branch leads to itself", "it has flags 0x1, want 0x2", node, 4, uint64(root / size)},
		{"branch leads to another leaf", "it says that it is page", leaf, 8, 1},
		{"node outside of its page", "node 0 is at byte 65535", leaf + pageHeader, 2, 65535},
		{"node over the header", "node 0 is at byte 2", leaf + pageHeader, 2, 2},
		{"free space", "its free space is from byte", leaf + 12, 2, 60000},
	} {
		b := bytes.Clone(whole)
		var value [8]byte
		binary.LittleEndian.PutUint64(value[:], c.value)
		copy(b[c.at:], value[:c.width])
		if _, err := readThrough(t, c.name, dir, b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// After an error the same error comes again.
func TestErrorStays(t *testing.T) {
	dir, whole := database(t, 60)
	for at := 0; ; { // in its leaf, and perhaps in a branch
		next := bytes.Index(whole[at:], []byte("00000041"))
		if next < 0 {
			break
		}
		at += next + 1
		binary.LittleEndian.PutUint16(whole[at-3:], 60000)
	}
	if err := os.WriteFile(filepath.Join(dir, "data.mdb"), whole, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := open(dir, data.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var rec data.Record
	for range 41 {
		if _, err := s.Next(&rec); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := s.Next(&rec); err == nil || !strings.Contains(err.Error(), "record 41 of 60: page ") {
			t.Errorf("got %v", err)
		}
	}
}

// FuzzDatabase: whatever is in data.mdb, reading it ends, with an error that names the folder or with the records that it announces.
func FuzzDatabase(f *testing.F) {
	_, small := database(f, 2)
	_, tall := database(f, 14)
	f.Add(small)
	f.Add(tall)
	f.Add(tall[:len(tall)-4096+7])
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, mdb []byte) {
		damagetest.Within(t, "data.mdb", 1<<20+uint64(4*len(mdb)), func() {
			records, err := readThrough(t, "data.mdb", dir, mdb)
			// A record takes at least 10 bytes of its own.
			if err == nil && records > len(mdb)/10 {
				t.Errorf("%d records in %d bytes", records, len(mdb))
			}
		})
	})
}
