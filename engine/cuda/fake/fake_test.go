package fake

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// folder holds the fakes and the programs of testdata, which use them.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "fakecuda"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

var build = sync.OnceValue(func() error {
	if err := Build(folder); err != nil {
		return err
	}
	sources, err := filepath.Glob("testdata/*.c")
	for _, source := range sources {
		args := []string{"-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-pthread", "-o", program(folder, source), source,
			"-L" + folder, "-l:libcuda.so.1", "-l:libcudnn.so.9", "-l:libcublasLt.so.12", "-Wl,-rpath," + folder}
		if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", source, err, out)
		}
	}
	return err
})

// built gives the folder. Without a compiler the test is skipped, but for where the CUDA
// engine must be tested.
func built(t *testing.T) string {
	t.Helper()
	for _, compiler := range []string{"gcc", "g++"} {
		if _, err := exec.LookPath(compiler); err != nil {
			if os.Getenv("CI") == "true" || slices.Contains(strings.Split(os.Getenv("GOCAFFE_TEST_ENGINES"), ","), "cuda") {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return folder
}

func program(dir, source string) string {
	return filepath.Join(dir, strings.TrimSuffix(filepath.Base(source), ".c"))
}

// run runs a program and gives what it prints.
func run(t *testing.T, path string, env ...string) string {
	t.Helper()
	c := exec.Command(path)
	c.Env = append(os.Environ(), env...)
	out, err := c.Output() // the fakes' reasons are on stderr
	if err != nil {
		t.Errorf("%s %v: %v\n%s", filepath.Base(path), env, err, out)
	}
	return string(out)
}

// The fakes refuse what the real libraries refuse.
func TestRefusals(t *testing.T) {
	dir := built(t)
	for _, name := range []string{"driver", "cudnn", "graph", "cublaslt"} {
		t.Run(name, func(t *testing.T) { run(t, program(dir, name)) })
	}
}

// Streams run in any order that events allow, another one with each seed and the same with
// the same: a missing event shows itself, and can be looked for again.
func TestStreamsRunInAnyOrder(t *testing.T) {
	dir := built(t)
	orders := map[string]bool{}
	for _, seed := range []string{"1", "2", "3", "4", "5"} {
		out := run(t, program(dir, "streams"), "GOCAFFE_FAKECUDA_SEED="+seed)
		if again := run(t, program(dir, "streams"), "GOCAFFE_FAKECUDA_SEED="+seed); again != out {
			t.Errorf("seed %s gives two orders:\n%s%s", seed, out, again)
		}
		orders[out] = true
	}
	if len(orders) != 5 {
		t.Errorf("5 seeds give %d orders", len(orders))
	}
}

// A kernel at an address that is not aligned to its type, which breaks a GPU's context,
// breaks the process.
func TestUnalignedKernel(t *testing.T) {
	path := program(built(t), "unaligned")
	run(t, path)
	var exit *exec.ExitError
	err := exec.Command(path, "2").Run()
	if !errors.As(err, &exit) || !exit.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
		t.Errorf("two bytes off: %v", err)
	}
}
