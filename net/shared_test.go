package net_test

import (
	"os"
	"path/filepath"
	"testing"
)

// shared is the folder of test material that is too large or not ours to keep
// here: GOCAFFE_SHARED, or "shared" beside a parent of this folder. Without it
// the test is skipped, and fails where CI is set.
func shared(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("GOCAFFE_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	must(t, err)
	for dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		if _, err := os.Stat(filepath.Join(dir, "shared", "golden")); err == nil {
			return filepath.Join(dir, "shared")
		}
	}
	const why = "no folder of shared test material: set GOCAFFE_SHARED"
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}
