package data

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/internal/damagetest"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

const windowText = "# 0\na.png\n3\n8\n8\n2\n1 0.9 0 0 3 3\n0 0.1 2 2 7 7\n# 1\nb.png\n3\n8\n8\n1\n2 1 1 1 6 6\n"

// readWindows opens a WindowData layer on a window file of that text, and draws from it as a batch does. Errors name the file.
func readWindows(t testing.TB, name, path, text string) error {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := openWindows(&caffepb.WindowDataParameter{Source: proto.String(path), BatchSize: proto.Uint32(4)}, 4, true)
	if err == nil {
		s.start(1)
		for range 8 {
			var rec Record
			if _, err = s.Next(&rec); err != nil {
				break
			}
		}
	}
	if err != nil && !strings.Contains(err.Error(), path) {
		t.Errorf("%s: the error does not name the file: %v", name, err)
	}
	return err
}

func TestDamagedWindowFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "windows.txt")
	if err := readWindows(t, "whole", path, windowText); err != nil {
		t.Fatal(err)
	}
	failed := 0
	damagetest.Each(t, []byte(windowText), 8*len(windowText), func(name string, b []byte) {
		damagetest.Within(t, name, 1<<20, func() {
			if readWindows(t, name, path, string(b)) != nil {
				failed++
			}
		})
	})
	if failed < len(windowText) {
		t.Errorf("%d damages were found, want more", failed)
	}
}

// FuzzWindowFile: whatever a window file says, its windows are read, or an error names it.
func FuzzWindowFile(f *testing.F) {
	f.Add(windowText)
	f.Add("# 0 a.png 3 2147483647 2147483647 2147483647 1 1 -2147483648 0 2147483647 0")
	path := filepath.Join(f.TempDir(), "windows.txt")
	f.Fuzz(func(t *testing.T, text string) {
		damagetest.Within(t, "windows", 1<<20+uint64(200*len(text)), func() { _ = readWindows(t, "windows", path, text) })
	})
}

// FuzzRestore: whatever position a side file holds, a list goes on from it or says why not. Rounds take time each, and no run has many.
func FuzzRestore(f *testing.F) {
	for _, seed := range []string{
		`{"version":1,"source":"l","len":3,"next":{"pos":2,"round":1,"offset":5,"records":5},"transform_seed":4,"shuffle_seed":9}`,
		`{"version":1,"len":-1,"next":{"pos":99999999999999}}`, `{"version":2}`, `[]`,
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	list := filepath.Join(dir, "l")
	if err := os.WriteFile(list, []byte("a 1\nb 2\nc 3\n"), 0o644); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var said state
		if json.Unmarshal([]byte(text), &said) == nil && said.Next.Round > 1000 {
			t.Skip("it would take its time")
		}
		source, err := openList(list, "", false)
		if err != nil {
			t.Fatal(err)
		}
		source.startShuffle(3)
		l := &Loader{source: source, ranks: 1, batch: 1, prefetch: 1, workers: 1, log: Discard}
		if err := l.Restore([]byte(text)); err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Error("an error without words")
		}
		if at := source.at; at.Pos < 0 || at.Pos >= 3 {
			t.Errorf("%s goes to %+v", fmt.Sprintf("%.200q", text), at)
		}
	})
}
