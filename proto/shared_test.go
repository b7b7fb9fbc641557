package proto

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goldenDir = "../testdata/golden"

// sharedDir is the folder of large or foreign files that stay outside the repository: GOCAFFE_SHARED,
// or "shared" beside the repository. A test that needs it is skipped where it is missing, except in CI.
func sharedDir(t *testing.T, sub string) string {
	t.Helper()
	dirs := []string{os.Getenv("GOCAFFE_SHARED")}
	for dir, _ := filepath.Abs("."); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		dirs = append(dirs, filepath.Join(dir, "shared"))
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, sub)); dir != "" && err == nil {
			return filepath.Join(dir, sub)
		}
	}
	const why = "no shared/%s found: set GOCAFFE_SHARED or put it beside the repository"
	if os.Getenv("CI") == "true" {
		t.Fatalf(why, sub)
	}
	t.Skipf(why, sub)
	return ""
}

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
