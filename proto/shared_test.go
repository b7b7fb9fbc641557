package proto

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goldenDir = "../testdata/golden"

// filesBelow lists the files with that ending.
func filesBelow(t *testing.T, dir, ending string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ending) {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s below %s: %v", ending, dir, err)
	}
	return files
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
