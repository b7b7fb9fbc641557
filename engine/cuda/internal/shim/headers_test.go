//go:build cgo && linux

package shim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What this package declares by hand is compared with NVIDIA's headers by a C++ compiler:
// each prototype, the layout of each struct, each number of an enumeration. Where the
// headers are not at hand the tests are skipped; `make check-headers` fetches them.

// headersVariable lists folders with NVIDIA's headers. Where it is set, no test is skipped.
const headersVariable = "GOCAFFE_NVIDIA_HEADERS"

// includes are the folders where NVIDIA's headers may lie: those of the variable, a
// toolkit's, and python's wheels.
func includes() []string {
	if list := os.Getenv(headersVariable); list != "" {
		return filepath.SplitList(list)
	}
	list := []string{"/usr/local/cuda/include", "/usr/include"}
	for _, root := range sites() {
		found, _ := filepath.Glob(filepath.Join(root, "nvidia", "*", "include")) // fails for bad patterns only
		list = append(list, found...)
	}
	return list
}

// haveHeaders finds the compiler's -I flags for headers, or skips the test.
func haveHeaders(t *testing.T, headers ...string) []string {
	t.Helper()
	var flags []string
	for _, h := range headers {
		at := slices.IndexFunc(includes(), func(dir string) bool { return exists(filepath.Join(dir, h)) })
		switch {
		case at >= 0:
			flags = append(flags, "-I"+includes()[at])
		case os.Getenv(headersVariable) != "":
			t.Fatalf("no %s in %s", h, os.Getenv(headersVariable))
		default:
			t.Skipf("no %s on this machine: `make check-headers` fetches NVIDIA's headers and runs this test", h)
		}
	}
	return flags
}

// standIns are headers of NVIDIA's that we leave out, with all that the others need of
// them: no prototype of ours has one of their types.
var standIns = map[string]string{
	"cuda_fp16.h": "#pragma once\nstruct __half {};",
	"cuda_bf16.h": "#pragma once\nstruct __nv_bfloat16 {};",
	"cuda_fp8.h":  "#pragma once\nstruct __nv_fp8_e4m3 {}; struct __nv_fp8_e5m2 {};",
}

// compile checks C++ text; its static_asserts are the test. It gives the compiler's words
// where it refuses.
func compile(t *testing.T, flags []string, text string) string {
	t.Helper()
	cxx, err := exec.LookPath("g++")
	if err != nil {
		t.Skip("no g++: ", err)
	}
	dir := t.TempDir()
	files := map[string]string{"check.cpp": text}
	for name, content := range standIns {
		files[name] = content
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	args := append([]string{"-std=c++17", "-fsyntax-only", "-w", "-I" + dir, "-I."}, flags...)
	out, err := exec.Command(cxx, append(args, filepath.Join(dir, "check.cpp"))...).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v\n%s", err, out)
	}
	return ""
}

// mustCompile fails the test where the compiler refuses the text.
func mustCompile(t *testing.T, flags []string, text string) {
	t.Helper()
	if words := compile(t, flags, text); words != "" {
		t.Error(words)
	}
}

// asserts is a static_assert a value.
func asserts(values map[string]int) string {
	var b strings.Builder
	for name, v := range values {
		fmt.Fprintf(&b, "static_assert((int)%s == %d, \"%s\");\n", name, v, name)
	}
	return b.String()
}

// The comparison itself: it takes what is alike and refuses what is not.
func TestAlike(t *testing.T) {
	const types = `#include "testdata/headers.hpp"
#include <stddef.h>
#include <stdint.h>
enum status { OK }; struct context; typedef struct context *handle;
`
	for _, c := range []struct {
		theirs, ours string
		alike        bool
	}{
		{"status(handle *, size_t)", "int(void **, size_t)", true},
		{"status(handle, const int[], float)", "int(void *, const int *, float)", true},
		{"status(handle)", "int(struct other *)", true},
		{"status(const handle, status)", "int(void *, int)", true},
		{"status(handle, int)", "int(void *)", false},
		{"status(handle)", "int(void **)", false},
		{"status(handle *)", "int(void *)", false},
		{"status(handle, int)", "int(int, void *)", false},
		{"status(size_t)", "int(int)", false},
		{"status(int)", "int(unsigned)", false},
		{"status(float)", "int(int)", false},
		{"status(int *)", "int(size_t *)", false},
		{"status(float *)", "int(int *)", false},
		{"status(int *)", "int(const int *)", false},
		{"size_t(void)", "int(void)", false},
		{"const char *(status)", "int(int)", false},
	} {
		text := fmt.Sprintf("%susing theirs = %s; using ours = %s; static_assert(alike<theirs *, ours *>::value == %v, \"\");\n", types, function(c.theirs), function(c.ours), c.alike)
		mustCompile(t, nil, text)
	}
}

// function makes "R(A…)" a type that C++ takes.
func function(prototype string) string {
	open := strings.Index(prototype, "(")
	return "std::remove_pointer_t<" + prototype[:open] + "(*)" + prototype[open:] + ">"
}
