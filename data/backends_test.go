package data_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/data"
)

var backendNames = []string{"LMDB", "LEVELDB"}

func backend(t testing.TB, name string) data.Backend {
	t.Helper()
	b, err := data.LookupBackend(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// More than one commit, values larger than a page, and more than the first map.
func TestWriteAndReadBack(t *testing.T) {
	for _, name := range backendNames {
		path := filepath.Join(t.TempDir(), "db")
		const n = 2500
		value := func(i int) []byte { return bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 10+i%1500) }
		w, err := backend(t, name).Create(path, data.Discard)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			v := value(i)
			if err := w.Put(fmt.Sprintf("%08d", i), v); err != nil {
				t.Fatal(err)
			}
			clear(v) // the caller may
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&^0o744 != 0 {
			t.Errorf("%s: folder has mode %v, %v; want 0744", name, info.Mode(), err)
		}
		s, err := backend(t, name).Open(path, data.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if s.Len() != n && s.Len() != -1 || s.Name() != path {
			t.Errorf("%s: Len %d, Name %s", name, s.Len(), s.Name())
		}
		var rec data.Record
		for i := range 2*n + 3 {
			last, err := s.Next(&rec)
			if err != nil {
				t.Fatal(err)
			}
			k := i % n
			if string(rec.Key) != fmt.Sprintf("%08d", k) || !bytes.Equal(rec.Value, value(k)) || last != (k == n-1) {
				t.Fatalf("%s: record %d has key %s, %d bytes, last %v", name, i, rec.Key, len(rec.Value), last)
			}
		}
		for _, pos := range []int64{7, 0, n - 1} {
			m := data.Mark{Pos: pos}
			if pos > 0 {
				m.After = fmt.Appendf(nil, "%08d", pos-1)
			}
			if err := s.Seek(m); err != nil {
				t.Fatal(err)
			}
			if last, err := s.Next(&rec); err != nil || string(rec.Key) != fmt.Sprintf("%08d", pos) || last != (pos == n-1) {
				t.Errorf("%s: after Seek(%d): %s, %v, %v", name, pos, rec.Key, last, err)
			}
		}
		if err := s.Seek(data.Mark{Pos: 5, After: []byte("other")}); err == nil || !strings.Contains(err.Error(), "not the database that was read before") {
			t.Errorf("%s: Seek to a key that is not there: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCreateRefusesWhatExists(t *testing.T) {
	for _, name := range backendNames {
		dir := t.TempDir()
		_, err := backend(t, name).Create(dir, data.Discard)
		if err == nil || !strings.Contains(err.Error(), "mkdir "+dir+" failed") || !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLMDBKeys(t *testing.T) {
	w, err := backend(t, "LMDB").Create(filepath.Join(t.TempDir(), "db"), data.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, key := range []string{"", strings.Repeat("k", 512)} {
		if err := w.Put(key, nil); err == nil || !strings.Contains(err.Error(), "a key has 1 to 511 bytes") {
			t.Errorf("key of %d bytes: %v", len(key), err)
		}
	}
	if err := w.Put(strings.Repeat("k", 511), []byte("v")); err != nil {
		t.Error(err)
	}
}

// Reading leaves a folder as it is, works where nothing can be written, and twice at once: the train and the test net.
func TestReadOnlyFolders(t *testing.T) {
	golden := goldenFolder(t)
	for name, db := range map[string]string{"LMDB": "lmdb_resized", "LEVELDB": "leveldb_resized"} {
		dir := filepath.Join(t.TempDir(), "db")
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(golden, db))); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range before {
			if err := os.Chmod(filepath.Join(dir, e.Name()), 0o444); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(dir, 0o755) })
		for range 2 {
			s, err := backend(t, name).Open(dir, data.Discard)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var rec data.Record
			for i := range 9 {
				if last, err := s.Next(&rec); err != nil || last != (i == 8) {
					t.Fatalf("%s: record %d: %v, %v", name, i, last, err)
				}
			}
		}
		if after, err := os.ReadDir(dir); err != nil || len(after) != len(before) {
			t.Errorf("%s: %d files before, %d after (%v)", name, len(before), len(after), err)
		}
	}
}

func TestDamagedDatabases(t *testing.T) {
	golden := goldenFolder(t)
	for _, c := range []struct{ backend, db, file, want string }{
		{"LMDB", "lmdb_resized", "data.mdb", "cut short"},
		{"LEVELDB", "leveldb_resized", "MANIFEST-000004", "Failed to open leveldb"},
		{"LEVELDB", "leveldb_resized", "CURRENT", "Failed to open leveldb"},
		{"LEVELDB", "leveldb_resized", "000005.ldb", "Failed to open leveldb"},
	} {
		dir := filepath.Join(t.TempDir(), "db")
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(golden, c.db))); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, c.file)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b[:len(b)/2], 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := backend(t, c.backend).Open(dir, data.Discard)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s cut to half: %v, want %q", c.file, err, c.want)
		}
	}
	garbage := t.TempDir()
	if err := os.WriteFile(filepath.Join(garbage, "data.mdb"), bytes.Repeat([]byte("no LMDB "), 2048), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := backend(t, "LMDB").Open(garbage, data.Discard); err == nil || !strings.Contains(err.Error(), "no LMDB: make the database again") {
		t.Errorf("garbage: %v", err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	w, err := backend(t, "LMDB").Create(empty, data.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := backend(t, "LMDB").Open(empty, data.Discard); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("empty: %v", err)
	}
}
