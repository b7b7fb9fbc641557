//go:build cgo && linux

package shim

// #include "companions.h"
import "C"

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// A process holds libraries of one major version of CUDA. cuDNN, which comes in one
// build for each under the same name, says which; without it that is the newest that the
// driver knows. The libraries that cuDNN opens itself, by their names alone, are opened
// before it needs them, so that it finds those of the same toolkit or wheel.

// Major versions of CUDA whose cuBLAS and NVRTC we know the names of.
const (
	firstMajor = 11
	lastMajor  = 13
)

// newestMajor is the newest of them that the driver knows.
func newestMajor(d *Driver) int { return min(lastMajor, d.Major()) }

// majors are the major versions of CUDA whose libraries may be taken, the best first.
func majors() ([]int, error) {
	d, err := OpenDriver()
	if err != nil {
		return nil, err
	}
	if dnn, err := OpenCudnn(); err == nil && dnn.Major() != 0 {
		return []int{dnn.Major()}, nil
	}
	var list []int
	for m := newestMajor(d); m >= firstMajor; m-- {
		list = append(list, m)
	}
	return list, nil
}

// ofMajors is a library of CUDA that has the major version in its name.
func ofMajors(name, file, wheel string, folders []string, majors []int) wanted {
	w := wanted{name: name, wheels: folders}
	for _, m := range majors {
		w.files = append(w.files, fmt.Sprintf("%s.%d", file, m))
	}
	pip := fmt.Sprintf("%s-cu%d", wheel, majors[0])
	if majors[0] >= 13 {
		pip = wheel // the wheels of CUDA 13 have no suffix
	}
	w.install = fmt.Sprintf("install it (pip install %s) or name its folder in GOCAFFE_CUDA_LIBS", pip)
	return w
}

func cublasLt(majors []int) wanted {
	return ofMajors("cuBLASLt", "libcublasLt.so", "nvidia-cublas", []string{"nvidia/cu13/lib", "nvidia/cublas/lib"}, majors)
}

func cublas(majors []int) wanted {
	return ofMajors("cuBLAS", "libcublas.so", "nvidia-cublas", []string{"nvidia/cu13/lib", "nvidia/cublas/lib"}, majors)
}

func nvrtc(majors []int) wanted {
	w := ofMajors("NVRTC", "libnvrtc.so", "nvidia-cuda-nvrtc", []string{"nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib"}, majors)
	if majors[len(majors)-1] == 11 {
		w.files[len(w.files)-1] = "libnvrtc.so.11.2" // of all toolkits from 11.3 to 11.8
	}
	return w
}

// companions are the libraries that cuDNN opens itself, each after those that it needs.
func companions(major int) []wanted {
	m := []int{major}
	return []wanted{cublasLt(m), cublas(m), nvrtc(m)}
}

// OpenNccl finds and opens NCCL, once a process. It is of no major version of CUDA: it
// needs the driver alone.
func OpenNccl() (*Nccl, error) { return openNccl() }

// Nccl is an open NCCL.
type Nccl struct{ lib *library }

var openNccl = sync.OnceValues(func() (*Nccl, error) {
	d, err := OpenDriver()
	if err != nil {
		return nil, err
	}
	pip := fmt.Sprintf("install it (pip install nvidia-nccl-cu%d) or name its folder in GOCAFFE_CUDA_LIBS", max(newestMajor(d), 12))
	lib, err := open(wanted{"NCCL", []string{"libnccl.so.2"}, []string{"nvidia/nccl/lib"}, pip})
	if err != nil {
		return nil, err
	}
	n := &Nccl{lib}
	if v := n.version(); v < minNccl {
		return nil, fmt.Errorf("%w: %s is NCCL %s, 2.11 or later is needed; %s", ErrTooOld, lib.path, n.Version(), pip)
	}
	return n, nil
})

// minNccl is 2.11.4, the first release of 2.11, as NCCL counts.
const minNccl = 21104

func (n *Nccl) version() int {
	var v C.int
	if C.gc_ncclGetVersion(n.lib.handle, &v) != 0 {
		return 0
	}
	return int(v)
}

// Version is the library's version as in "2.28.9".
func (n *Nccl) Version() string {
	if v := n.version(); v >= 10000 { // the way of counting since 2.9
		return fmt.Sprintf("%d.%d.%d", v/10000, v/100%100, v%100)
	} else {
		return fmt.Sprintf("%d.%d.%d", v/1000, v/100%10, v%100)
	}
}

// Info describes the library.
func (n *Nccl) Info() engine.Library { return n.lib.info(n.Version()) }

// Companions describes the libraries that cuDNN opens itself: of the same major version
// of CUDA, and missing ones with what that costs.
func Companions() []engine.Library {
	m, err := majors()
	if err != nil {
		return nil
	}
	var list []engine.Library
	for _, c := range []struct {
		wanted
		version func(lib unsafe.Pointer) string
		without string
	}{
		{cublas(m), cublasVersion, "older versions of cuDNN take it for some convolutions"},
		{nvrtc(m), nvrtcVersion, "without it cuDNN lacks the kernels that it compiles itself"},
	} {
		lib, err := open(c.wanted)
		if err != nil {
			list = append(list, engine.Library{Name: c.name, Missing: err.Error() + "; " + c.without})
			continue
		}
		list = append(list, lib.info(c.version(lib.handle)))
	}
	return list
}

// cublasVersion asks for MAJOR_VERSION, MINOR_VERSION and PATCH_LEVEL.
func cublasVersion(lib unsafe.Pointer) string {
	var v [3]C.int
	for i := range v {
		if C.gc_cublasGetProperty(lib, C.int(propertyMajor+i), &v[i]) != 0 {
			return ""
		}
	}
	return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2])
}

// propertyMajor is MAJOR_VERSION of libraryPropertyType; the minor version and the patch
// level follow.
const propertyMajor = 0

func nvrtcVersion(lib unsafe.Pointer) string {
	var major, minor C.int
	if C.gc_nvrtcVersion(lib, &major, &minor) != 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d", major, minor)
}
