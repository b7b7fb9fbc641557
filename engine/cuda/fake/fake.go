// Package fake builds libraries that stand in for NVIDIA's, so that the engine's own
// code runs where there is no GPU: libcuda.so.1 and, beside it, what else is in libs.
// They run on the host, in any order that the events allow, and refuse arguments that
// the real ones would refuse; libs/fake.h says how.
//
// They find errors of order, of arguments and of our kernels' arithmetic. They show
// nothing about a GPU: neither that a real driver takes the PTX, nor that the real
// libraries answer as the fakes do, nor any speed.
package fake

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// library is one of the fakes.
type library struct {
	file    string   // its name
	sources []string // relative to this folder
}

// driver is libcuda.so.1, with our kernels in their build for the host.
var driver = library{"libcuda.so.1", []string{"libs/state.cpp", "libs/cuda.cpp", "libs/streams.cpp", "libs/modules.cpp", "libs/absent.cpp", "../kernels/module.cu"}}

// others stand on it: they queue their work through libs/fakecuda.h. All sources of one
// are C.
var others = []library{
	{"libcudnn.so.9", []string{"libs/cudnn.c", "libs/cudnn_graph.c", "libs/conv.c"}},
	{"libcublasLt.so.12", []string{"libs/cublaslt.c", "libs/conv.c"}},
}

// Build compiles all fakes into a folder with g++.
func Build(dir string) error {
	if err := compile(driver, dir); err != nil {
		return err
	}
	for _, l := range others {
		if err := compile(l, dir, filepath.Join(dir, driver.file)); err != nil {
			return err
		}
	}
	return nil
}

// BuildWithout compiles a libcuda.so.1 that lacks one of its functions, and our kernels.
func BuildWithout(dir, function string) error {
	script := filepath.Join(dir, "without")
	if err := os.WriteFile(script, []byte("{ local: "+function+"; };\n"), 0o644); err != nil {
		return err
	}
	old := library{driver.file, driver.sources[:len(driver.sources)-1]}
	return compile(old, dir, "-Wl,--version-script="+script)
}

// compile makes one library. Like the PTX, the kernels are built without contracted
// multiplications and additions, so that both give the same numbers.
func compile(l library, dir string, more ...string) error {
	_, self, _, _ := runtime.Caller(0)
	here := filepath.Dir(self)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	temporary := filepath.Join(dir, fmt.Sprintf(".%s.%d", l.file, os.Getpid()))
	compiler, dialect := "gcc", []string{"-std=gnu11"}
	if !strings.HasSuffix(l.sources[0], ".c") {
		// A kernel that reads or writes at an address that is no multiple of the type's size
		// breaks the context of a GPU; here it breaks the process.
		compiler, dialect = "g++", []string{"-std=c++17", "-fsanitize=alignment", "-fsanitize-undefined-trap-on-error"}
	}
	args := append(dialect, "-O3", "-march=native", "-fPIC", "-shared", "-pthread", "-ffp-contract=off", "-Wall", "-Wextra", "-Wno-unknown-pragmas",
		"-I", filepath.Join(here, "libs"), "-I", filepath.Join(here, "../kernels"), "-Wl,-soname,"+l.file, "-o", temporary)
	for _, s := range l.sources {
		path := filepath.Join(here, s)
		if strings.HasSuffix(s, ".cu") {
			args = append(args, "-x", "c++", path, "-x", "none")
			continue
		}
		args = append(args, path)
	}
	args = append(append(args, more...), "-ldl", "-lm")
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("fake: %s: %w\n%s", l.file, err, out)
	}
	return os.Rename(temporary, filepath.Join(dir, l.file))
}
