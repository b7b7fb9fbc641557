//go:build cgo && linux

package shim

import (
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// loader stands for the system's own search: LD_LIBRARY_PATH and ld.so's cache.
const loader = ""

// folders lists where to look for a library, in order: GOCAFFE_CUDA_LIBS, the
// system's loader, the CUDA toolkit, conda, and the wheels in python's site-packages.
func folders(wheels []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		list := append(filepath.SplitList(os.Getenv("GOCAFFE_CUDA_LIBS")), loader)
		list = append(list, toolkits()...)
		if conda := os.Getenv("CONDA_PREFIX"); conda != "" {
			list = append(list, filepath.Join(conda, "lib"))
		}
		for _, folder := range list {
			if !yield(folder) {
				return
			}
		}
		if len(wheels) == 0 {
			return
		}
		for _, site := range sites() {
			for _, w := range wheels {
				if !yield(filepath.Join(site, w)) {
					return
				}
			}
		}
	}
}

// toolkits are the library folders of installed toolkits; of several versions the newest
// comes first.
func toolkits() []string {
	var list []string
	if home := os.Getenv("CUDA_HOME"); home != "" {
		list = append(list, filepath.Join(home, "lib64"))
	}
	list = append(list, "/usr/local/cuda/lib64")
	arch := map[string]string{"amd64": "x86_64", "arm64": "sbsa"}[runtime.GOARCH]
	found, _ := filepath.Glob("/usr/local/cuda*/targets/" + arch + "-linux/lib") // fails for bad patterns only
	for i := len(found) - 1; i >= 0; i-- {
		list = append(list, found[i])
	}
	return list
}

// sites are the site-packages of the virtual environment, or of the python3 that the
// user would run. Python is asked once, and only when all other folders had nothing.
var sites = sync.OnceValue(func() []string {
	var list []string
	if venv := os.Getenv("VIRTUAL_ENV"); venv != "" {
		found, _ := filepath.Glob(filepath.Join(venv, "lib", "python3*", "site-packages"))
		list = append(list, found...)
	}
	const ask = "import site; print('\\n'.join(site.getsitepackages() + [site.getusersitepackages()]))"
	out, err := exec.Command("python3", "-c", ask).Output()
	if err != nil {
		return list // no python: no wheels of python's either
	}
	return append(list, strings.Fields(string(out))...)
})

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
