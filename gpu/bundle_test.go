// Package gpu holds what carries the tests to a machine with a GPU, and the test that the
// carried folder works.
package gpu

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine/cuda/fake"
)

// bundle is a bundle that was moved after it was made, beside stand-ins for NVIDIA's
// libraries.
type bundle struct{ dir, libs, elsewhere string }

func newBundle(t *testing.T) bundle {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the binary and five packages' tests")
	}
	if runtime.GOOS != "linux" {
		t.Skip("the CUDA engine is for Linux")
	}
	if _, err := exec.LookPath("g++"); err != nil {
		t.Skip("no g++ for the stand-ins: ", err)
	}
	root := t.TempDir()
	b := bundle{dir: filepath.Join(root, "carried here"), libs: filepath.Join(root, "libs"), elsewhere: filepath.Join(root, "elsewhere")}
	made := filepath.Join(root, "made here")
	if out, err := exec.Command("./bundle.sh", made).CombinedOutput(); err != nil {
		t.Fatalf("bundle.sh: %v\n%s", err, out)
	}
	if err := errors.Join(os.Rename(made, b.dir), fake.Build(b.libs), os.Mkdir(b.elsewhere, 0o777)); err != nil {
		t.Fatal(err)
	}
	return b
}

// run runs the script from another folder, with an empty environment but for PATH, the
// stand-ins and what is given. It gives the report, the summary at its end, and whether
// the script said that all is well.
func (b bundle) run(t *testing.T, env []string, args ...string) (report, summary string, ok bool) {
	t.Helper()
	file := filepath.Join(b.elsewhere, "report.txt")
	c := exec.Command(filepath.Join(b.dir, "gpu-test.sh"), append([]string{"--short", "--report", file}, args...)...)
	c.Dir = b.elsewhere
	c.Env = append([]string{"PATH=/usr/local/bin:/usr/bin:/bin", "GOCAFFE_CUDA_LIBS=" + b.libs, "GOCAFFE_CUDNN_SEARCH=heuristic"}, env...)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	text, readErr := os.ReadFile(file)
	if readErr != nil {
		t.Fatalf("no report: %v, %v\n%s", readErr, err, out)
	}
	_, summary, _ = strings.Cut(string(text), "==== summary\n")
	return string(text), summary, err == nil
}

// sections is how many there are.
const sections = 10

// TestBundle makes the bundle and runs its short form on the stand-ins for NVIDIA's
// libraries. It shows that the folder is complete and that its script runs and reports;
// nothing about a GPU.
func TestBundle(t *testing.T) {
	b := newBundle(t)
	t.Run("libraries", func(t *testing.T) { testLibraries(t, b) })
	t.Run("all is well", func(t *testing.T) {
		report, summary, ok := b.run(t, []string{"LENET_ITERATIONS=20", "LENET_ACCURACY=0.6"})
		if n := strings.Count(summary, "PASS"); n != sections || !ok {
			t.Errorf("%d of %d sections passed:\n%s\n%s", n, sections, summary, report)
		}
		for _, want := range []string{
			"] engine cuda: gocaffe's fake GPU", "cuDNN 9.", "engine/cuda: ", "layers: ", "solver: ", "cmd/gocaffe: ", " 0 failed",
			"LeNet after 20 iterations: accuracy 0.", "no difference", "lenet, batch 4, fp32             gocaffe ", "lenet, batch 4, tf32", "lenet, batch 4, bf16", "images/s",
		} {
			if !strings.Contains(report, want) {
				t.Errorf("the report has no %q:\n%s", want, report)
			}
		}
	})
	t.Run("beside PyTorch", func(t *testing.T) { testTorch(t, b) })
	t.Run("failures", func(t *testing.T) { testFailures(t, b) })
}

// testTorch checks that rates stand beside those of bench/torch_time.py, with a python3 that
// answers as if it had run it, and that a peer that fails is told and is no failure of ours.
func testTorch(t *testing.T, b bundle) {
	bin := t.TempDir()
	python := `#!/bin/sh
case "$*" in
*import\ torch*) echo "PyTorch 2.0 cuDNN 90100" ;;
*torch_time.py*lenet.prototxt\ --device\ cuda\ --precision\ bf16*) echo "CUDA out of memory" >&2 && exit 1 ;;
*torch_time.py*lenet.prototxt\ --device\ cuda*) echo '{"version": "2.0", "nchw_ms": 0.004, "channels_last_ms": 0.002}' ;;
esac
`
	if err := os.WriteFile(filepath.Join(bin, "python3"), []byte(python), 0o777); err != nil {
		t.Fatal(err)
	}
	report, summary, ok := b.run(t, []string{"PATH=" + bin + ":/usr/bin:/bin"}, "--only", "benchmark")
	if !ok {
		t.Errorf("failed:\n%s", summary)
	}
	// Four pictures in two microseconds.
	line := regexp.MustCompile(`(?m)^lenet, batch 4, fp32 +gocaffe +\d+ images/s +PyTorch +2000000 +ratio 0\.00$`)
	for _, want := range []string{"PyTorch 2.0 cuDNN 90100", "lenet, batch 4, bf16: PyTorch failed: CUDA out of memory"} {
		if !strings.Contains(report, want) || !line.MatchString(report) {
			t.Errorf("the report has no %q, or no line %v:\n%s", want, line, report)
		}
	}
}

// testLibraries checks that the folder has all that the binary loads, on a machine that
// has none of it: one whose list of libraries is empty.
func testLibraries(t *testing.T, b bundle) {
	files, err := filepath.Glob(filepath.Join(b.dir, "lib", "*"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%d libraries, %v", len(files), err)
	}
	c := exec.Command("ldd", append([]string{filepath.Join(b.dir, "gocaffe")}, files...)...)
	c.Env = append(os.Environ(), "LD_LIBRARY_PATH="+filepath.Join(b.dir, "lib"))
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("ldd: %v\n%s", err, out)
	}
	glibc := regexp.MustCompile(`^(lib(c|m|dl|rt|pthread|resolv|util)\.so|linux-vdso|/lib\S*/ld-linux)`)
	for _, line := range strings.Split(string(out), "\n") {
		name, at, found := strings.Cut(strings.TrimSpace(line), " => ")
		if found && !glibc.MatchString(name) && !strings.HasPrefix(at, b.dir) {
			t.Errorf("%s is not in the bundle: %s", name, at)
		}
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "ldconfig"), []byte("#!/bin/sh\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	report, summary, ok := b.run(t, []string{"PATH=" + bin + ":/usr/bin:/bin"}, "--only", "machine")
	if !ok || strings.Count(summary, "PASS") != 1 {
		t.Errorf("the section failed:\n%s", report)
	}
	for _, library := range []string{"libdnnl.so", "libgomp.so", "libturbojpeg.so", "libhdf5"} {
		if at := regexp.MustCompile(`: (/.*/` + library + `\S*)`).FindStringSubmatch(report); at == nil || strings.HasPrefix(at[1], "/usr/") || strings.HasPrefix(at[1], "/lib/") {
			t.Errorf("the bundle's %s is not used: %v\n%s", library, at, report)
		}
	}
}

// testFailures checks that what fails is named, in the report and by the exit status.
func testFailures(t *testing.T, b bundle) {
	for _, c := range []struct {
		name, env, only string
		failed          int
		want            []string
	}{
		{"no driver", "GOCAFFE_CUDA_LIBS=" + b.elsewhere, ".", sections, []string{
			"FAIL machine and libraries", "FAIL goldens of real Caffe", "] Cannot use GPU: cuda: no NVIDIA driver", "--- FAIL: TestConformance", "--- FAIL: TestGolden",
			"FAILED: layers's tests ended with status 1", "FAILED: lenet, batch 4, bf16: F",
		}},
		{"accuracy", "LENET_ITERATIONS=1 LENET_ACCURACY=1.1", "LeNet", 1, []string{"FAILED: LeNet after 1 iterations: accuracy 0.", " is less than 1.1"}},
		{"one kernel", "GOCAFFE_FAKECUDA_FAIL=relu_f32@1=1", "conformance", 1, []string{"--- FAIL: TestConformance/fp32/Unary", "FAILED: engine/cuda's tests ended"}},
		{"a crash", "GOCAFFE_FAKECUDA_FAIL=update_all@3=719", "recorded", 1, []string{"CUDA_ERROR_LAUNCH_FAILED (719)"}},
		{"a rate", "GOCAFFE_FAKECUDA_FAIL=update_all@2=719", "benchmark", 1, []string{
			"FAILED: lenet, batch 4, fp32: F", "FAILED: lenet, batch 4, bf16: F", "CUDA_ERROR_LAUNCH_FAILED (719)",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			report, summary, ok := b.run(t, strings.Fields(c.env), "--only", c.only)
			if n := strings.Count("\n"+summary, "\nFAIL "); ok || n != c.failed {
				t.Errorf("said that all is well: %v, and that %d sections failed, not %d:\n%s", ok, n, c.failed, report)
			}
			for _, want := range c.want {
				if !strings.Contains(summary, want) {
					t.Errorf("the summary has no %q:\n%s", want, summary)
				}
			}
			for _, part := range strings.Split(summary, "\nFAIL ")[1:] {
				if !strings.Contains(part, "\n     ") {
					t.Errorf("no reason is told of %s", part)
				}
			}
		})
	}
}
