package kernels

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// need skips the test where a program is missing. Where the CUDA engine must be tested,
// as make test does, it must be there.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" || slices.Contains(strings.Split(os.Getenv("GOCAFFE_TEST_ENGINES"), ","), "cuda") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// TestPTXIsOfThisSource compiles the kernels again.
func TestPTXIsOfThisSource(t *testing.T) {
	need(t, "clang-14")
	dir := t.TempDir()
	if out, err := exec.Command("./ptx.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"sm_70.ptx", "sm_80.ptx"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what clang-14 makes of the .cu files: run make ptx and commit it", name)
		}
	}
}

// entries lists the kernels of a PTX text.
func entries(ptx string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`\.entry (\w+)\(`).FindAllStringSubmatch(ptx, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

// TestTargetsHaveTheSameKernels: a GPU's age changes no names.
func TestTargetsHaveTheSameKernels(t *testing.T) {
	old, young := entries(PTX(70)), entries(PTX(90))
	if len(old) == 0 || !slices.Equal(old, young) {
		t.Errorf("sm_70 has %v, sm_80 has %v", old, young)
	}
	if PTX(70) == PTX(80) || PTX(75) != PTX(70) || PTX(120) != PTX(80) {
		t.Error("PTX does not go by the capability")
	}
}

// TestNoLocalMemory: an array of a thread that does not fit registers would live in
// the GPU's memory.
func TestNoLocalMemory(t *testing.T) {
	for _, capability := range []int{70, 80} {
		for _, line := range strings.Split(PTX(capability), "\n") {
			if strings.Contains(line, ".local") {
				t.Errorf("sm_%d: %s", capability, line)
			}
		}
	}
}

// TestEveryKernelHasAHostForm compiles the kernels for the host and looks for the
// functions that the fake driver would call.
func TestEveryKernelHasAHostForm(t *testing.T) {
	need(t, "g++")
	object := filepath.Join(t.TempDir(), "kernels.o")
	cmd := exec.Command("g++", "-x", "c++", "-std=c++17", "-O0", "-ffp-contract=off", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-c", "-o", object, "module.cu")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	symbols, err := exec.Command("nm", "-g", object).Output()
	if err != nil {
		t.Fatal(err)
	}
	var host []string
	for _, m := range regexp.MustCompile(` T host_(\w+)`).FindAllStringSubmatch(string(symbols), -1) {
		host = append(host, m[1])
	}
	slices.Sort(host)
	if device := entries(PTX(70)); !slices.Equal(host, device) {
		t.Errorf("the host has %v, the device has %v", host, device)
	}
}
