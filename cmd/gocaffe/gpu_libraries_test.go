package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// library compiles a few lines of C to a shared library.
func library(t *testing.T, path, code string) string {
	t.Helper()
	cc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc: ", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(cc, "-shared", "-fPIC", "-Wl,-soname,"+filepath.Base(path), "-o", path, "-x", "c", "-")
	c.Stdin = strings.NewReader("#include <stddef.h>\n" + code)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", path, err, out)
	}
	return path
}

// elsewhere are the variables that say where libraries may lie, all empty but for those given.
func elsewhere(env ...string) []string {
	return append([]string{"GOCAFFE_CUDA_LIBS=", "LD_LIBRARY_PATH=", "CUDA_HOME=", "CONDA_PREFIX=", "VIRTUAL_ENV=", "PATH="}, env...)
}

// withoutDriver skips a test that needs a machine without NVIDIA's own driver.
func withoutDriver(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/proc/driver/nvidia/version"); err == nil {
		t.Skip("this machine has NVIDIA's driver")
	}
}

// starting is a driver whose cuInit gives a code.
func starting(version, code int) string {
	return fmt.Sprintf("int cuDriverGetVersion(int *v) { *v = %d; return 0; } int cuInit(unsigned f) { return %d; } int cuDeviceGetCount(int *n) { *n = 0; return 0; }"+
		"int cuGetErrorName(int e, const char **s) { *s = \"CUDA_ERROR_OF_THE_TEST\"; return 0; } int cuGetErrorString(int e, const char **s) { *s = \"the driver's words\"; return 0; }",
		version, code)
}

// What a driver or a GPU lacks is one line that says what to do, of each command that takes -gpu. None of them runs on the CPU instead.
func TestDriverErrors(t *testing.T) {
	withoutDriver(t)
	trainDir(t, "max_iter: 1")
	for _, c := range []struct{ name, code, want string }{
		{"no driver", "", "no NVIDIA driver: NVIDIA's driver (libcuda.so.1) was not found by the system's loader nor in GOCAFFE_CUDA_LIBS, CUDA_HOME, /usr/local/cuda, " +
			"CONDA_PREFIX or python's site-packages; install NVIDIA's driver (nvidia-smi then lists the GPUs); in a container, start it with --gpus all"},
		{"stub", "int cuInit(unsigned f) { return 34; } int cuDriverGetVersion(int *v) { return 34; }",
			"no NVIDIA driver: <driver> is the CUDA toolkit's stub for linkers; take its folder out of LD_LIBRARY_PATH and GOCAFFE_CUDA_LIBS"},
		{"stub that starts late", starting(12080, 34), "no NVIDIA driver: <driver> is the CUDA toolkit's stub for linkers"},
		{"old driver", starting(11030, 0), "the driver (<driver>) is too old: it knows CUDA 11.3, CUDA 11.4 is needed; install NVIDIA's driver 470 or newer"},
		{"no GPU", starting(12080, 100), "the driver (<driver>) is there, but it sees no GPU; look at nvidia-smi and at CUDA_VISIBLE_DEVICES"},
		{"no GPU, and no error", starting(12080, 0), "the driver (<driver>) is there, but it sees no GPU"},
		{"fabric", starting(12080, 802), "the driver (<driver>) does not start: cuInit: CUDA_ERROR_OF_THE_TEST (802): the driver's words; on a machine with NVSwitch, start the service nvidia-fabricmanager"},
		{"half updated", starting(12080, 803), "(803): the driver's words; the library and the kernel's module are of different versions: restart the machine"},
		{"compatibility package", starting(12080, 804), "(804): the driver's words; the forward-compatibility package (cuda-compat) does not work with this GPU"},
		{"unknown", starting(12080, 999), "(999): the driver's words; look whether nvidia-smi works and whether /dev/nvidia-uvm is there"},
		{"not a driver", "int unrelated;", "NVIDIA's driver (<driver>) has no function cuDriverGetVersion; it is too old or incomplete"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "libcuda.so.1")
			if c.code != "" {
				library(t, path, c.code)
			}
			env, want := elsewhere("GOCAFFE_CUDA_LIBS="+dir), strings.ReplaceAll(c.want, "<driver>", path)
			for _, args := range []string{
				"train -solver solver.prototxt -gpu 0", "train -solver solver.prototxt -gpu all", "train -solver solver.prototxt -engine cuda",
				"test -model net.prototxt -weights any.caffemodel -gpu 0", "time -model net.prototxt -gpu 0", "forward -model net.prototxt -output out.npz -gpu 0",
				"device_query -gpu 0", "device_query -gpu all",
			} {
				code, log := programIn(t, env, strings.Fields(args)...)
				fatal := regexp.MustCompile(`(?m)^F.*$`).FindAllString(log, -1)
				if code != exitFatal || len(fatal) != 1 || !strings.Contains(fatal[0], "] Cannot use GPU: cuda: ") || !strings.Contains(fatal[0], want) || strings.Contains(log, "Use CPU") {
					t.Errorf("%s: exit %d, want %q in\n%s", args, code, want, log)
				}
			}
			if code, log := programIn(t, env, "device_query"); code != 0 || !strings.Contains(log, "engine cuda: not available: cuda: ") || !strings.Contains(log, want) {
				t.Errorf("device_query: exit %d, want %q in\n%s", code, want, log)
			}
		})
	}
}

// A file that is no library is told, not passed over in silence.
func TestBrokenDriver(t *testing.T) {
	withoutDriver(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "libcuda.so.1")
	if err := os.WriteFile(path, []byte("no library"), 0o666); err != nil {
		t.Fatal(err)
	}
	code, log := programIn(t, elsewhere("GOCAFFE_CUDA_LIBS="+dir), "device_query", "-gpu", "0")
	if want := "NVIDIA's driver (libcuda.so.1) could not be opened: " + path; code != exitFatal || !strings.Contains(log, want) {
		t.Errorf("exit %d, no %q in\n%s", code, want, log)
	}
}

// fakeDriver is a folder with the fake driver alone, on a machine that has none of NVIDIA's libraries itself.
func fakeDriver(t *testing.T) string {
	t.Helper()
	onFake(t)
	dir := t.TempDir()
	if _, log := programIn(t, elsewhere("GOCAFFE_CUDA_LIBS="), "device_query"); strings.Contains(log, "cuDNN 9") || strings.Contains(log, "libcuda.so.1:") {
		t.Skip("this machine has NVIDIA's libraries")
	}
	for _, from := range filepath.SplitList(os.Getenv("GOCAFFE_CUDA_LIBS")) {
		if file := filepath.Join(from, "libcuda.so.1"); os.Symlink(file, filepath.Join(dir, "libcuda.so.1")) == nil {
			return dir
		}
	}
	t.Fatal("GOCAFFE_CUDA_LIBS has no libcuda.so.1")
	return ""
}

// What libraries answer when they are asked for their versions; cuDNN also tells the CUDA that it was built for.
func cudnnOf(version, cuda int) string {
	return fmt.Sprintf("size_t cudnnGetVersion(void) { return %d; } size_t cudnnGetCudartVersion(void) { return %d; }", version, cuda)
}
func cublasLtOf(version int) string {
	return fmt.Sprintf("size_t cublasLtGetVersion(void) { return %d; }", version)
}
func cublasOf(major, minor, patch int) string {
	return fmt.Sprintf("int cublasGetProperty(int what, int *v) { int all[] = {%d, %d, %d}; *v = all[what]; return 0; }", major, minor, patch)
}
func nvrtcOf(major, minor int) string {
	return fmt.Sprintf("int nvrtcVersion(int *major, int *minor) { *major = %d; *minor = %d; return 0; }", major, minor)
}
func ncclOf(version int) string {
	return fmt.Sprintf("int ncclGetVersion(int *v) { *v = %d; return 0; }", version)
}

// device_query prints each library's version and path, or why it cannot be used and what to do. All are of one major version of CUDA.
func TestQueryLibraries(t *testing.T) {
	driver := fakeDriver(t)
	for _, c := range []struct {
		name   string
		driver int // of CUDA that the driver knows
		libs   map[string]string
		want   []string
	}{
		{"nothing but the driver", 12040, nil, []string{
			"NVIDIA driver (libcuda) CUDA 12.4: ",
			"cuDNN: not available: cuDNN (libcudnn.so.9 or libcudnn.so.8) was not found by the system's loader nor in ",
			"; install it (pip install nvidia-cudnn-cu12) or name its folder in GOCAFFE_CUDA_LIBS; without it there are no convolutions on the GPU",
			"cuBLASLt: not available: cuBLASLt (libcublasLt.so.12 or libcublasLt.so.11) was not found",
			"; install it (pip install nvidia-cublas-cu12) or name its folder in GOCAFFE_CUDA_LIBS; without it there are no matrix products on the GPU",
			"NVRTC: not available: NVRTC (libnvrtc.so.12 or libnvrtc.so.11.2) was not found",
			"NCCL: not available: NCCL (libnccl.so.2) was not found", "; one GPU needs none",
		}},
		{"all of 12", 12080, map[string]string{"libcudnn.so.9": cudnnOf(91002, 12090), "libcublasLt.so.12": cublasLtOf(120901), "libcublasLt.so.11": cublasLtOf(111103),
			"libcublas.so.12": cublasOf(12, 9, 1), "libnvrtc.so.12": nvrtcOf(12, 9), "libnccl.so.2": ncclOf(22809)}, []string{
			"NVIDIA driver (libcuda) CUDA 12.8: ", "  cuDNN 9.10.2: DIR/libcudnn.so.9\n", "  cuBLASLt 12.9.1: DIR/libcublasLt.so.12\n",
			"  cuBLAS 12.9.1: DIR/libcublas.so.12\n", "  NVRTC 12.9: DIR/libnvrtc.so.12\n", "  NCCL 2.28.9: DIR/libnccl.so.2\n",
		}},
		{"cuDNN decides for 12", 13000, map[string]string{"libcudnn.so.9": cudnnOf(91002, 12090), "libcublasLt.so.13": cublasLtOf(130001)}, []string{
			"cuDNN 9.10.2: DIR/libcudnn.so.9\n", "cuBLASLt (libcublasLt.so.12) was not found",
		}},
		{"cuDNN 8.9 and CUDA 11", 11040, map[string]string{"libcudnn.so.8": cudnnOf(8907, 11080), "libcublasLt.so.11": cublasLtOf(111103), "libcublasLt.so.12": cublasLtOf(120901)}, []string{
			"cuDNN 8.9.7: DIR/libcudnn.so.8\n", "cuBLASLt 11.11.3: DIR/libcublasLt.so.11\n",
		}},
		{"9 before 8", 12040, map[string]string{"libcudnn.so.8": cudnnOf(8907, 11080), "libcudnn.so.9": cudnnOf(90100, 12030)}, []string{"cuDNN 9.1.0: DIR/libcudnn.so.9\n"}},
		{"without cuDNN the driver's newest", 13000, map[string]string{"libcublasLt.so.13": cublasLtOf(130001), "libcublasLt.so.12": cublasLtOf(120901)}, []string{
			"cuBLASLt 13.0.1: DIR/libcublasLt.so.13\n", "pip install nvidia-cudnn-cu13", "pip install nvidia-cuda-nvrtc)",
		}},
		{"without cuDNN none that is too new", 12040, map[string]string{"libcublasLt.so.13": cublasLtOf(130001), "libcublasLt.so.12": cublasLtOf(120901)}, []string{
			"cuBLASLt 12.9.1: DIR/libcublasLt.so.12\n",
		}},
		{"cuDNN too old", 12040, map[string]string{"libcudnn.so.8": cudnnOf(8600, 11080), "libnccl.so.2": ncclOf(2708)}, []string{
			"cuDNN: not available: the library is too old: DIR/libcudnn.so.8 is cuDNN 8.6.0, 8.9 or later is needed; install it (pip install nvidia-cudnn-cu12)",
			"NCCL: not available: the library is too old: DIR/libnccl.so.2 is NCCL 2.7.8, 2.11 or later is needed",
		}},
		{"cuDNN too new", 12040, map[string]string{"libcudnn.so.9": cudnnOf(92801, 13000)}, []string{
			"cuDNN: not available: cuDNN 9.28.1 (DIR/libcudnn.so.9) was built for CUDA 13, the driver (", ") knows CUDA 12.4: install a newer driver, or install it (pip install nvidia-cudnn-cu12)",
		}},
		{"cuDNN that lacks what it needs itself", 12040, map[string]string{"libcudnn.so.9": ""}, []string{
			"cuDNN: not available: cuDNN (libcudnn.so.9 or libcudnn.so.8) could not be opened: DIR/libcudnn.so.9: ",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for file, code := range c.libs {
				if path := filepath.Join(dir, file); code != "" {
					library(t, path, code)
				} else if err := os.WriteFile(path, []byte("cut off"), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			env := elsewhere("GOCAFFE_CUDA_LIBS="+driver+":"+dir, fmt.Sprintf("GOCAFFE_FAKECUDA_DRIVER=%d", c.driver))
			code, log := programIn(t, env, "device_query", "-gpu", "0")
			for _, want := range c.want {
				if want = strings.ReplaceAll(want, "DIR", dir); code != 0 || !strings.Contains(log, want) {
					t.Errorf("exit %d, no %q in\n%s", code, want, log)
				}
			}
		})
	}
}

// A library that lacks a function costs what needs it, which is named.
func TestLibraryWithoutFunction(t *testing.T) {
	driver, dir := fakeDriver(t), t.TempDir()
	dnn := library(t, filepath.Join(dir, "libcudnn.so.9"), cudnnOf(91002, 12090))
	blas := library(t, filepath.Join(dir, "libcublasLt.so.12"), cublasLtOf(120901)+`int cublasLtCreate(void **h) { *h = h; return 0; } int cublasLtDestroy(void *h) { return 0; }`)
	for net, want := range map[string]string{
		failingNet: "cuDNN (" + dnn + ") has no function cudnnCreate; it is too old or incomplete: install a newer one",
		strings.Replace(failingNet, `bottom: "c" top: "z"`, `bottom: "x" top: "z"`, 1): "cuBLASLt (" + blas + ") has no function cublasLtMatmulDescCreate; it is too old",
	} {
		trainDir(t, "max_iter: 1")
		if err := os.WriteFile("net.prototxt", []byte(net), 0o666); err != nil {
			t.Fatal(err)
		}
		code, log := programIn(t, elsewhere("GOCAFFE_CUDA_LIBS="+driver+":"+dir), "train", "-solver", "solver.prototxt", "-gpu", "0")
		if code != exitFatal || !strings.Contains(log, want) {
			t.Errorf("exit %d, no %q in\n%s", code, want, last(log, 1500))
		}
	}
}

// Where libraries lie in several places, the first in this order is taken, and device_query tells which.
func TestLibraryOrder(t *testing.T) {
	driver, root := fakeDriver(t), t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	// A python3 that tells its site-packages as the real one does.
	if err := os.Mkdir(at("bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("bin", "python3"), []byte("#!/bin/sh\necho "+at("site")+"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	path := "PATH=" + at("bin") + ":" + os.Getenv("PATH")
	places := []struct{ variable, dnn, blas string }{
		{"GOCAFFE_CUDA_LIBS=" + driver + ":" + at("named"), at("named"), at("named")},
		{"LD_LIBRARY_PATH=" + at("loader"), at("loader"), at("loader")},
		{"CUDA_HOME=" + at("toolkit"), at("toolkit", "lib64"), at("toolkit", "lib64")},
		{"CONDA_PREFIX=" + at("conda"), at("conda", "lib"), at("conda", "lib")},
		{"VIRTUAL_ENV=" + at("venv"), at("venv/lib/python3.11/site-packages/nvidia/cudnn/lib"), at("venv/lib/python3.11/site-packages/nvidia/cublas/lib")},
		{path, at("site/nvidia/cudnn/lib"), at("site/nvidia/cublas/lib")},
	}
	for i := len(places) - 1; i >= 0; i-- {
		p := places[i]
		library(t, filepath.Join(p.dnn, "libcudnn.so.9"), cudnnOf(91000+i, 12040))
		library(t, filepath.Join(p.blas, "libcublasLt.so.12"), cublasLtOf(120400+i))
		env := elsewhere("GOCAFFE_CUDA_LIBS=" + driver)
		for _, below := range places[i:] {
			env = append(env, below.variable)
		}
		code, log := programIn(t, env, "device_query")
		for _, want := range []string{
			fmt.Sprintf("cuDNN 9.10.%d: %s/libcudnn.so.9\n", i, p.dnn), fmt.Sprintf("cuBLASLt 12.4.%d: %s/libcublasLt.so.12\n", i, p.blas),
		} {
			if code != 0 || !strings.Contains(log, want) {
				t.Errorf("%s: exit %d, no %q in\n%s", p.variable, code, want, log)
			}
		}
	}
}
