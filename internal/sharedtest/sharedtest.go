// Package sharedtest finds the test material that is too large, or not ours, to
// keep in the repository: published nets, real weights, logs.
package sharedtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir is a folder or file of the material: sub below GOCAFFE_SHARED, or below a
// folder "shared" beside the repository. Where it is missing the test is skipped,
// and fails in CI.
func Dir(t testing.TB, sub string) string {
	t.Helper()
	for _, root := range roots(t) {
		path := filepath.Join(root, sub)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	const why = "no shared/%s here: set GOCAFFE_SHARED to the folder that has it, or put it beside the repository"
	if os.Getenv("CI") == "true" {
		t.Fatalf(why, sub)
	}
	t.Skipf(why, sub)
	return ""
}

func roots(t testing.TB) []string {
	if dir := os.Getenv("GOCAFFE_SHARED"); dir != "" {
		return []string{dir}
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var roots []string
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		roots = append(roots, filepath.Join(dir, "shared"))
	}
	return roots
}
