package leveldb

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syndtr/goleveldb/leveldb"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/internal/damagetest"
)

// database makes a database of n records. It is small enough to be a journal and nothing else.
func database(t testing.TB, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "db")
	w, err := Create(dir, data.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Put(fmt.Sprintf("%08d", i), bytes.Repeat([]byte{byte(i)}, 10+i*37%100)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tables makes the journal of a database to a table, as LevelDB does when it opens it for writing again.
func tables(t testing.TB, dir string) string {
	t.Helper()
	db, err := leveldb.OpenFile(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// read is the records of a round, as "key=value", as far as they can be read. An error names the folder.
func read(t testing.TB, name, dir string) (records []string, err error) {
	t.Helper()
	defer func() {
		if err != nil && !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: the error does not name %s: %v", name, dir, err)
		}
	}()
	s, err := open(dir, data.Discard)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var rec data.Record
	for last := false; !last; {
		if last, err = s.Next(&rec); err != nil {
			return records, err
		}
		records = append(records, fmt.Sprintf("%s=%x", rec.Key, rec.Value))
	}
	return records, nil
}

func files(t testing.TB, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s in %s (%v)", pattern, dir, err)
	}
	return found
}

// Checksums cover all but a little: damage anywhere is an error, or changes nothing. A journal that is cut between two commits is one of
// fewer commits.
func TestDamagedFiles(t *testing.T) {
	limit := 400
	if testing.Short() {
		limit = 150
	}
	for _, c := range []struct {
		pattern string
		dir     string
	}{
		{"*.log", database(t, commitEvery+50)}, {"*.ldb", tables(t, database(t, 300))}, {"MANIFEST-*", tables(t, database(t, 30))}, {"CURRENT", database(t, 30)},
	} {
		want, err := read(t, c.pattern, c.dir)
		if err != nil {
			t.Fatal(err)
		}
		path := files(t, c.dir, c.pattern)[0]
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		damagetest.Each(t, whole, limit, func(name string, b []byte) {
			name = fmt.Sprintf("%s: %s", c.pattern, name)
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			damagetest.Within(t, name, 64<<20, func() {
				got, err := read(t, name, c.dir)
				between := len(b) < len(whole) && len(got) == commitEvery // the cut is between two commits
				if err != nil {
					failed++
				} else if !slices.Equal(got, want) && !between {
					t.Errorf("%s: %d records, other ones, and no error", name, len(got))
				}
			})
		})
		if failed < min(len(whole), limit)/2 {
			t.Errorf("%s: %d damages were found, want more", c.pattern, failed)
		}
	}
}

// A footer that claims gigabytes is refused before they are taken.
func TestDamagedFooter(t *testing.T) {
	dir := tables(t, database(t, 30))
	path := files(t, dir, "*.ldb")[0]
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	footer := len(whole) - 48
	for name, handles := range map[string]string{
		"length": "\x00\xff\xff\xff\xff\x07\x00\x08", "negative": "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x08",
		"offset": "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x08\x00\x08", "index": "\x00\x08\x00\xff\xff\xff\xff\x07", "no number": strings.Repeat("\xff", 40),
	} {
		b := bytes.Clone(whole)
		copy(b[footer:], handles)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		damagetest.Within(t, name, 16<<20, func() {
			if _, err := read(t, name, dir); err == nil || !strings.Contains(err.Error(), "leads out of the file") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// FuzzFiles: whatever is in the files of a database, reading it ends, and an error names the folder.
func FuzzFiles(f *testing.F) {
	names := map[string]string{"MANIFEST-*": "MANIFEST-000000", "*.ldb": "000002.ldb", "*.log": "000001.log"}
	for _, dir := range []string{database(f, 3), tables(f, database(f, 3))} {
		contents := map[string][]byte{}
		for pattern := range names {
			found, _ := filepath.Glob(filepath.Join(dir, pattern))
			for _, path := range found {
				b, err := os.ReadFile(path)
				if err != nil {
					f.Fatal(err)
				}
				contents[pattern] = b
				names[pattern] = filepath.Base(path)
			}
		}
		f.Add(contents["MANIFEST-*"], contents["*.ldb"], contents["*.log"])
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, manifest, table, journal []byte) {
		for name, b := range map[string][]byte{
			"CURRENT": []byte(names["MANIFEST-*"] + "\n"), names["MANIFEST-*"]: manifest, names["*.ldb"]: table, names["*.log"]: journal,
		} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		damagetest.Within(t, "leveldb", 64<<20, func() { _, _ = read(t, "leveldb", dir) })
	})
}
