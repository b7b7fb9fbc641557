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

// open finds and opens a library that has one of the given file names, the first one
// preferred; see folders for where it looks. wheels are folders below site-packages
// where NVIDIA's Python wheels keep it. The error names all that was tried.
func open(name string, files, wheels []string) (*library, error) {
	var tried []string
	for folder := range folders(wheels) {
		for _, file := range files {
			if folder != loader {
				file = filepath.Join(folder, file)
				if !exists(file) {
					continue
				}
			}
			handle, why := dlopen(file)
			if handle != nil {
				return &library{handle: handle, name: name, path: pathOf(handle, file)}, nil
			}
			tried = append(tried, why)
		}
	}
	return nil, &MissingError{Library: name, Files: files, Tried: tried}
}

// MissingError is a library that was not found or could not be opened.
type MissingError struct {
	Library string   // "cuDNN"
	Files   []string // the file names that were looked for
	Tried   []string // the system's reasons
}

func (e *MissingError) Error() string {
	text := fmt.Sprintf("%s (%s) was not found by the system's loader nor in GOCAFFE_CUDA_LIBS, CUDA_HOME, /usr/local/cuda, CONDA_PREFIX or python's site-packages",
		e.Library, strings.Join(e.Files, ", "))
	for _, t := range e.Tried {
		if !strings.Contains(t, "No such file") {
			return fmt.Sprintf("%s (%s) could not be opened: %s", e.Library, strings.Join(e.Files, ", "), t)
		}
	}
	return text
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

// info describes a library for device_query; it may be nil, for one not found.
func (l *library) info(name, version string) engine.Library {
	if l == nil {
		return engine.Library{Name: name}
	}
	return engine.Library{Name: name, Path: l.path, Version: version}
}
