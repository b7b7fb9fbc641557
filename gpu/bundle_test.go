// Package gpu holds what carries the tests to a machine with a GPU, and the test that the
// carried folder works.
package gpu

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine/cuda/fake"
)

// TestBundle makes the bundle and runs its short form on the stand-ins for NVIDIA's
// libraries. It shows that the folder is complete and that its script runs and reports;
// nothing about a GPU.
func TestBundle(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary and four packages' tests")
	}
	if runtime.GOOS != "linux" {
		t.Skip("the CUDA engine is for Linux")
	}
	if _, err := exec.LookPath("g++"); err != nil {
		t.Skip("no g++ for the stand-ins: ", err)
	}
	dir := t.TempDir()
	bundle, libs, report := filepath.Join(dir, "bundle"), filepath.Join(dir, "libs"), filepath.Join(dir, "report.txt")
	if out, err := exec.Command("./bundle.sh", bundle).CombinedOutput(); err != nil {
		t.Fatalf("bundle.sh: %v\n%s", err, out)
	}
	if err := fake.Build(libs); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(filepath.Join(bundle, "gpu-test.sh"), "--short", "--report", report)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOCAFFE_CUDA_LIBS="+libs, "GOCAFFE_CUDNN_SEARCH=heuristic", "XDG_CACHE_HOME="+dir)
	out, err := c.CombinedOutput()
	text, readErr := os.ReadFile(report)
	if err != nil || readErr != nil {
		t.Fatalf("gpu-test.sh: %v, %v\n%s\n%s", err, readErr, out, text)
	}
	_, summary, _ := strings.Cut(string(text), "==== summary")
	if n := strings.Count(summary, "PASS"); n != 8 {
		t.Errorf("%d of 8 sections passed:\n%s", n, summary)
	}
	for _, want := range []string{"cuDNN", "accuracy = ", "no difference", "images/s"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report has no %q:\n%s", want, text)
		}
	}
}
