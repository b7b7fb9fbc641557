package mnist

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	pb "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func TestMakeLMDB(t *testing.T) {
	dir, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mnist_test_lmdb")
	if err := MakeLMDB(path, dir, Test); err != nil {
		t.Fatal(err)
	}
	backend, err := data.LookupBackend("LMDB")
	if err != nil {
		t.Fatal(err)
	}
	source, err := backend.Open(path, data.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if source.Len() != 10000 {
		t.Fatalf("%d records", source.Len())
	}
	// The first test digits are well known.
	for i, label := range []int32{7, 2, 1, 0, 4} {
		var rec data.Record
		if _, err := source.Next(&rec); err != nil {
			t.Fatal(err)
		}
		var d caffepb.Datum
		if err := pb.Unmarshal(rec.Value, &d); err != nil {
			t.Fatal(err)
		}
		if string(rec.Key) != "0000000"+string(rune('0'+i)) || d.GetLabel() != label || d.GetChannels() != 1 ||
			d.GetHeight() != 28 || d.GetWidth() != 28 || len(d.Data) != 784 {
			t.Errorf("record %d: key %q, label %d, %dx%dx%d, %d bytes", i, rec.Key, d.GetLabel(), d.GetChannels(), d.GetHeight(), d.GetWidth(), len(d.Data))
		}
	}
}

// TestMakeLMDBAgain: what is complete stays, what was left half-made does not.
func TestMakeLMDBAgain(t *testing.T) {
	dir, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "db")
	if err := os.Mkdir(path+".part", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := MakeLMDB(path, dir, Test); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(path, "data.mdb")
	old := time.Unix(1e9, 0)
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	if err := MakeLMDB(path, dir, Test); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || !info.ModTime().Equal(old) {
		t.Errorf("a complete database was made again (%v)", err)
	}
	if err := MakeLMDB(filepath.Join(t.TempDir(), "db"), t.TempDir(), Train); err == nil {
		t.Error("no error without the files")
	}
}
