//go:build cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cuda/fake"
	"github.com/gocaffe/gocaffe/engine/enginetest"
)

// childEnv names what a child process of the tests does instead of testing: a process
// has one driver, and a broken context stays broken.
const childEnv = "GOCAFFE_CUDA_TEST_CHILD"

// children print what a user would read.
var children = map[string]func() error{
	"open": func() error {
		_, err := Open(engine.Config{})
		return err
	},
	"alloc": func() error {
		d, err := Open(engine.Config{})
		if err != nil {
			return err
		}
		if _, err = d.Alloc(100 << 20); !errors.Is(err, engine.ErrMemory) {
			return fmt.Errorf("it is no engine.ErrMemory: %w", err)
		}
		return err
	},
	"second GPU": func() error {
		_, err := Open(engine.Config{Index: 1})
		return err
	},
	"work": func() error {
		d, err := Open(engine.Config{})
		if err != nil {
			return err
		}
		return work(d)
	},
	"work, then more": func() error {
		d, err := Open(engine.Config{})
		if err != nil {
			return err
		}
		if err := work(d); err == nil {
			return errors.New("the first work has not failed")
		}
		return work(d)
	},
}

// work runs a kernel, and copies its result out.
func work(d engine.Device) error {
	b, err := d.Alloc(400)
	if err != nil {
		return err
	}
	s, err := d.NewStream()
	if err != nil {
		return err
	}
	k, err := d.Prepare(engine.Unary{Fn: engine.ReLU}, []engine.Desc{engine.Dense(100)}, []engine.Desc{engine.Dense(100)})
	if err != nil {
		return err
	}
	s.Zero(b)
	s.Launch(k, &engine.Args{In: []engine.Buffer{b}, Out: []engine.Buffer{b}})
	s.CopyOut(make([]byte, 400), b)
	return s.Sync()
}

func TestMain(m *testing.M) {
	if f, ok := children[os.Getenv(childEnv)]; ok {
		fmt.Println(f())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is what a child prints with the given environment.
func child(t *testing.T, name string, env ...string) string {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(append(os.Environ(), childEnv+"="+name), env...)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// onFake skips a test that needs the fake driver.
func onFake(t *testing.T) {
	t.Helper()
	if d := enginetest.OpenOrSkip(t, Name, engine.Config{}).(*device); d.ctx.Name != "gocaffe's fake GPU" {
		t.Skip("this needs the fake driver (make test-cuda)")
	}
}

// Every thing that can be missing or break is one line that names it and says what to do.
func TestErrors(t *testing.T) {
	onFake(t)
	const gpu = "cuda: GPU 0 (gocaffe's fake GPU): "
	const lost = "; the GPU is lost to this process, start it again (train goes on from the last snapshot with -snapshot)"
	for _, c := range []struct{ name, child, env, want string }{
		{"no GPU", "open", "GOCAFFE_FAKECUDA_DEVICES=0", "is there, but it sees no GPU; look at nvidia-smi"},
		{"which GPU", "second GPU", "", "cuda: there is no GPU 1: the driver sees 1, numbered from 0"},
		{"old driver", "open", "GOCAFFE_FAKECUDA_DRIVER=10020", "is too old: it knows CUDA 10.2, CUDA 11.4 is needed; install NVIDIA's driver 470 or newer"},
		{"old GPU", "open", "GOCAFFE_FAKECUDA_CAPABILITY=61", "cuda: GPU 0 (gocaffe's fake GPU) has compute capability 6.1; 7.0 (Volta) or newer is needed"},
		{"broken driver", "open", "GOCAFFE_FAKECUDA_FAIL=cuInit@1=999", " does not start: cuInit: CUDA_ERROR_UNKNOWN (999): unknown error; look whether nvidia-smi works"},
		{"memory", "alloc", "GOCAFFE_FAKECUDA_MEMORY=50000000",
			"cuda: allocating 104857600 bytes on GPU 0 (gocaffe's fake GPU): out of memory: 49967232 of its 50000000 bytes are free"},
		{"code", "work", "GOCAFFE_FAKECUDA_FAIL=cuModuleLoadDataEx@1=218", gpu + "cuModuleLoadDataEx: CUDA_ERROR_INVALID_PTX (218): a PTX JIT compilation failed"},
		{"launch", "work", "GOCAFFE_FAKECUDA_FAIL=cuLaunchKernel@1=1", gpu + "engine.Unary: cuLaunchKernel(relu_f32): CUDA_ERROR_INVALID_VALUE (1): invalid argument"},
		{"kernel", "work", "GOCAFFE_FAKECUDA_FAIL=relu_f32@1=700", gpu + "cuStreamSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS (700): an illegal memory access was encountered" + lost},
		{"lost", "work", "GOCAFFE_FAKECUDA_FAIL=cuMemcpyDtoHAsync_v2@1=999", gpu + "cuMemcpyDtoHAsync: CUDA_ERROR_UNKNOWN (999): unknown error" + lost},
		{"still lost", "work, then more", "GOCAFFE_FAKECUDA_FAIL=relu_f32@1=719", gpu + "cuMemAlloc: CUDA_ERROR_LAUNCH_FAILED (719): unspecified launch failure" + lost},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := child(t, c.child, c.env)
			if !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A function that the driver lacks is named; what does not need it goes on.
func TestMissingSymbol(t *testing.T) {
	onFake(t)
	dir := t.TempDir()
	if err := fake.BuildWithout(dir, "cuEventCreate"); err != nil {
		t.Fatal(err)
	}
	libs := "GOCAFFE_CUDA_LIBS=" + dir
	if got := child(t, "open", libs); got != "<nil>" {
		t.Errorf("opening needs no events: %s", got)
	}
	want := "NVIDIA's driver (" + filepath.Join(dir, "libcuda.so.1") + ") has no function cuEventCreate; it is too old or incomplete: install a newer one"
	if got := child(t, "work", libs); !strings.Contains(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A file that is no library is told, not passed over.
func TestBrokenLibrary(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "libcuda.so.1"), []byte("no library"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := child(t, "open", "GOCAFFE_CUDA_LIBS="+dir); !strings.Contains(got, "could not be opened: "+dir) && got != "<nil>" {
		t.Errorf("got %s", got)
	}
}

// The words of the driver's PTX compiler are in the error.
func TestCompilerLog(t *testing.T) {
	onFake(t)
	d, _ := open(t)
	_, err := d.ctx.Load(".version 6.4\n.target sm_99\n")
	if err == nil || !strings.Contains(err.Error(), "the driver's PTX compiler says: ptxas fatal: sm_99") {
		t.Error(err)
	}
}
