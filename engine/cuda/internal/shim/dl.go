//go:build cgo && linux

// Package shim is the C side of engine/cuda: NVIDIA's libraries, found and opened at
// run time. Nothing of CUDA is needed to build it: the prototypes are our own, in
// one table a library (…_syms.h), and a function is looked up when it is first
// called. One that the library lacks is an error that names it, so that an old
// library costs the feature that needs the function and nothing else.
package shim

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -Wextra
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "dl.h"
*/
import "C"

import (
	"fmt"
	"path/filepath"
	"strings"
	"unsafe"

	"github.com/gocaffe/gocaffe/engine"
)

// library is an open library.
type library struct {
	handle unsafe.Pointer
	name   string // what users call it: "cuDNN"
	path   string // the file
}

// wanted is a library to look for.
type wanted struct {
	name    string   // what users call it: "cuDNN"
	files   []string // the names that it may have, the first one preferred
	wheels  []string // the folders below site-packages where NVIDIA's Python wheels keep it
	install string   // what to do where it is not found
}

// open finds and opens a library; see folders for where it looks. The error names what
// was tried.
func open(w wanted) (*library, error) {
	missing := &MissingError{wanted: w}
	for folder := range folders(w.wheels) {
		for _, file := range w.files {
			if folder != loader {
				file = filepath.Join(folder, file)
				if !exists(file) {
					continue
				}
			}
			handle, why := dlopen(file)
			if handle != nil {
				return &library{handle: handle, name: w.name, path: pathOf(handle, file)}, nil
			}
			if missing.broken == "" && !strings.Contains(why, file+": cannot open shared object file: No such file") {
				missing.broken = why
			}
		}
	}
	return nil, missing
}

// MissingError is a library that was not found, or that could not be opened.
type MissingError struct {
	wanted
	broken string // the system's words for the first file that is there and does not open
}

func (e *MissingError) Error() string {
	what := fmt.Sprintf("%s (%s)", e.name, strings.Join(e.files, " or "))
	if e.broken != "" {
		return fmt.Sprintf("%s could not be opened: %s", what, e.broken)
	}
	return fmt.Sprintf("%s was not found by the system's loader nor in GOCAFFE_CUDA_LIBS, CUDA_HOME, /usr/local/cuda, CONDA_PREFIX or python's site-packages; %s",
		what, e.install)
}

func dlopen(file string) (handle unsafe.Pointer, why string) {
	c := C.CString(file)
	defer C.free(unsafe.Pointer(c))
	var text *C.char
	if handle = C.gc_dl_open(c, &text); handle == nil {
		why = C.GoString(text)
	}
	return handle, why
}

// pathOf is the file of an open library, free of links and "..".
func pathOf(handle unsafe.Pointer, file string) string {
	path := C.GoString(C.gc_dl_path(handle))
	if path == "" {
		return file
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// info describes a library for device_query.
func (l *library) info(version string) engine.Library {
	return engine.Library{Name: l.name, Path: l.path, Version: version}
}
