//go:build cgo

// Package hdf5 reads and writes the HDF5 files that Caffe keeps weights and solver states in: groups of datasets of float32, integers and
// strings.
//
// It uses libhdf5, which is looked for when the first file is opened (Debian and Ubuntu: apt install libhdf5-103-1). A damaged file gives
// an error. Files may be used by several goroutines, one at a time: libhdf5 is not safe for concurrent use, so all calls share a lock.
package hdf5

/*
#cgo CFLAGS: -std=gnu11
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "libhdf5.h"
*/
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"unsafe"
)

// libraryNames are the names under which systems have the library, the newest ABI last.
var libraryNames = []string{
	"libhdf5_serial.so.103", "libhdf5.so.103", "libhdf5_serial.so.200", "libhdf5.so.200", "libhdf5_serial.so.310", "libhdf5.so.310",
	"libhdf5_serial.so", "libhdf5.so", "libhdf5.dylib",
}

var load = sync.OnceValues(func() (string, error) {
	tooOld := ""
	for _, name := range libraryNames {
		c := C.CString(name)
		rc := C.gh_load(c)
		C.free(unsafe.Pointer(c))
		switch rc {
		case 0:
			var v [3]C.uint
			C.gh_version(&v[0])
			return fmt.Sprintf("%s (%d.%d.%d)", name, v[0], v[1], v[2]), nil
		case -2:
			tooOld = name
		}
	}
	if tooOld != "" {
		return "", fmt.Errorf("cannot use HDF5: %s is not libhdf5 1.10 or later", tooOld)
	}
	return "", errors.New("cannot use HDF5: libhdf5 was not found; install it (Debian, Ubuntu: apt install libhdf5-103-1), or use " +
		"snapshot_format: BINARYPROTO")
})

// Library returns the name and version of the library that is in use, or an error that says what to install.
func Library() (string, error) {
	lock.Lock()
	defer lock.Unlock()
	return load()
}

// lock is held during all calls of libhdf5.
var lock sync.Mutex

// File is an open file.
type File struct {
	path string
	id   C.int64_t
	size int64 // in bytes, of a file open for reading
	open bool
}

// Create makes a file, or empties the one that is there.
func Create(path string) (*File, error) {
	f := &File{path: path}
	if err := f.start(func(c *C.char) C.int64_t { return C.gh_create(c) }, "create"); err != nil {
		return nil, err
	}
	return f, nil
}

// Open opens a file for reading.
func Open(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open HDF5 file: %w", err)
	}
	f := &File{path: path, size: info.Size()}
	if err := f.start(f.trial, "open"); err != nil {
		return nil, err
	}
	return f, nil
}

// trial opens a file that a child process has read.
func (f *File) trial(path *C.char) C.int64_t {
	if C.gh_trial(path, C.ulonglong(f.size)) < 0 {
		return -1
	}
	return C.gh_open(path)
}

func (f *File) start(open func(*C.char) C.int64_t, verb string) error {
	lock.Lock()
	defer lock.Unlock()
	if _, err := load(); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	c := C.CString(f.path)
	defer C.free(unsafe.Pointer(c))
	if f.id = open(c); f.id < 0 {
		return fmt.Errorf("cannot %s HDF5 file %s: %s", verb, f.path, C.GoString(&C.gh_message[0]))
	}
	f.open = true
	return nil
}

// Path is the file's, as it was opened.
func (f *File) Path() string { return f.path }

// Size is how many bytes a file has that is open for reading.
func (f *File) Size() int64 { return f.size }

// Close writes what is pending and closes the file.
func (f *File) Close() error {
	lock.Lock()
	defer lock.Unlock()
	if !f.open {
		return nil
	}
	f.open = false
	if C.gh_close(f.id) < 0 {
		return fmt.Errorf("cannot close HDF5 file %s: %s", f.path, C.GoString(&C.gh_message[0]))
	}
	return nil
}

// do calls the library for one object of the file, and words its failure.
func (f *File) do(path, verb string, call func(c *C.char) C.int64_t) (int64, error) {
	lock.Lock()
	defer lock.Unlock()
	if !f.open {
		return 0, fmt.Errorf("HDF5 file %s is closed", f.path)
	}
	if strings.IndexByte(path, 0) >= 0 {
		return 0, fmt.Errorf("HDF5 file %s: no object can be called %q", f.path, path)
	}
	c := C.CString(path)
	defer C.free(unsafe.Pointer(c))
	n := call(c)
	if n < 0 {
		return 0, fmt.Errorf("HDF5 file %s: cannot %s %s: %s", f.path, verb, path, C.GoString(&C.gh_message[0]))
	}
	return int64(n), nil
}

// Exists reports whether there is a group or dataset at path, such as /data/conv1/0.
func (f *File) Exists(path string) (bool, error) {
	at := 0
	for {
		next := strings.IndexByte(path[at:], '/')
		end := len(path)
		if next >= 0 {
			end = at + next
		}
		if prefix := path[:end]; end > at {
			found, err := f.do(prefix, "find", func(c *C.char) C.int64_t { return C.int64_t(C.gh_exists(f.id, c)) })
			if err != nil || found == 0 {
				return false, err
			}
		}
		if next < 0 {
			return true, nil
		}
		at = end + 1
	}
}

// CreateGroup makes the group at path, and those above it. One that exists is left as it is.
func (f *File) CreateGroup(path string) error {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' || path[i-1] == '/' {
			continue
		}
		found, err := f.do(path[:i], "find", func(c *C.char) C.int64_t { return C.int64_t(C.gh_exists(f.id, c)) })
		if err == nil && found == 0 {
			_, err = f.do(path[:i], "make the group", func(c *C.char) C.int64_t { return C.int64_t(C.gh_make_group(f.id, c)) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// createParent makes the group that an object at path lies in.
func (f *File) createParent(path string) error {
	return f.CreateGroup(path[:max(strings.LastIndexByte(path, '/'), 0)])
}

// List returns the names in a group, in the order of their bytes.
func (f *File) List(group string) ([]string, error) {
	n, err := f.do(group, "list", func(c *C.char) C.int64_t { return C.gh_count(f.id, c) })
	if err != nil {
		return nil, err
	}
	var names []string
	buf := make([]byte, 256)
	for i := range n {
		for {
			size, err := f.do(group, "list", func(c *C.char) C.int64_t {
				return C.gh_name(f.id, c, C.ulonglong(i), (*C.char)(unsafe.Pointer(&buf[0])), C.ulong(len(buf)))
			})
			if err != nil {
				return nil, err
			}
			if size < int64(len(buf)) {
				names = append(names, string(buf[:size]))
				break
			}
			if size > f.size && f.size > 0 {
				return nil, fmt.Errorf("HDF5 file %s: %s: a name of %d bytes: the file is damaged", f.path, group, size)
			}
			buf = make([]byte, size+1)
		}
	}
	return names, nil
}

// WriteFloats makes the dataset at path. The shape's count is the length of data; an empty shape is a scalar.
func (f *File) WriteFloats(path string, shape []int, data []float32) error {
	n := 1
	dims := make([]C.ulonglong, len(shape), len(shape)+1)
	for i, d := range shape {
		n *= d
		dims[i] = C.ulonglong(d)
	}
	if n != len(data) || len(shape) > C.gh_max_rank {
		return fmt.Errorf("HDF5 file %s: cannot write %s: %d values do not fill the shape %v", f.path, path, len(data), shape)
	}
	return f.write(path, C.gh_float, dims, unsafe.Pointer(unsafe.SliceData(data)))
}

// WriteInt makes a dataset of one 32-bit integer, as H5LTmake_dataset_int does.
func (f *File) WriteInt(path string, v int) error {
	if v < math.MinInt32 || v > math.MaxInt32 {
		return fmt.Errorf("HDF5 file %s: cannot write %s: %d does not fit in 32 bits", f.path, path, v)
	}
	value := C.int(v)
	return f.write(path, C.gh_int, []C.ulonglong{1}, unsafe.Pointer(&value))
}

func (f *File) write(path string, kind C.int, dims []C.ulonglong, data unsafe.Pointer) error {
	if err := f.createParent(path); err != nil {
		return err
	}
	_, err := f.do(path, "write", func(c *C.char) C.int64_t {
		return C.int64_t(C.gh_write(f.id, c, kind, C.int(len(dims)), unsafe.SliceData(dims), data))
	})
	return err
}

// WriteString makes a dataset of one string, as H5LTmake_dataset_string does.
func (f *File) WriteString(path, s string) error {
	if err := f.createParent(path); err != nil {
		return err
	}
	b := append([]byte(s), 0)
	_, err := f.do(path, "write", func(c *C.char) C.int64_t {
		return C.int64_t(C.gh_write_string(f.id, c, (*C.char)(unsafe.Pointer(&b[0])), C.ulong(len(b))))
	})
	return err
}

// ReadFloats reads the dataset at path. Integers and float64 are converted.
func (f *File) ReadFloats(path string) (shape []int, data []float32, err error) {
	info, n, err := f.stat(path, C.gh_class_float, C.gh_class_integer)
	if err != nil {
		return nil, nil, err
	}
	shape = make([]int, info.rank)
	for i := range shape {
		shape[i] = int(info.dims[i])
	}
	data = make([]float32, n)
	if n == 0 {
		return shape, data, nil
	}
	_, err = f.do(path, "read", func(c *C.char) C.int64_t {
		return C.int64_t(C.gh_read(f.id, c, C.gh_float, unsafe.Pointer(&data[0])))
	})
	return shape, data, err
}

// ReadInt reads a dataset of one integer.
func (f *File) ReadInt(path string) (int, error) {
	_, n, err := f.stat(path, C.gh_class_integer)
	if err != nil {
		return 0, err
	}
	if n != 1 {
		return 0, fmt.Errorf("HDF5 file %s: %s has %d values, not one", f.path, path, n)
	}
	var v C.int
	_, err = f.do(path, "read", func(c *C.char) C.int64_t { return C.int64_t(C.gh_read(f.id, c, C.gh_int, unsafe.Pointer(&v))) })
	return int(v), err
}

// ReadString reads a dataset of one string of fixed length.
func (f *File) ReadString(path string) (string, error) {
	info, n, err := f.stat(path, C.gh_class_string)
	if err != nil {
		return "", err
	}
	if n != 1 || info.variable != 0 {
		return "", fmt.Errorf("HDF5 file %s: %s is not one string of fixed length", f.path, path)
	}
	b := make([]byte, info.size)
	_, err = f.do(path, "read", func(c *C.char) C.int64_t {
		return C.int64_t(C.gh_read_string(f.id, c, (*C.char)(unsafe.Pointer(&b[0]))))
	})
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s), err
}

// stat finds out about a dataset before memory is taken for it: its class must be among those given.
func (f *File) stat(path string, classes ...C.int) (info C.gh_info, n int64, err error) {
	if _, err = f.do(path, "read", func(c *C.char) C.int64_t { return C.int64_t(C.gh_stat(f.id, c, &info)) }); err != nil {
		return info, 0, err
	}
	known := false
	for _, c := range classes {
		known = known || info.class == c
	}
	if !known {
		return info, 0, fmt.Errorf("HDF5 file %s: %s has another type (class %d of H5T_class_t) than it should", f.path, path, info.class)
	}
	if info.class != C.gh_class_string && info.plain == 0 {
		return info, 0, fmt.Errorf("HDF5 file %s: cannot read %s: its numbers are neither integers nor floats of 8 to 64 bits: convert them to float32, "+
			"or copy the file again if it is damaged", f.path, path)
	}
	n = 1
	for _, d := range info.dims[:info.rank] {
		if d > math.MaxInt32 || n > math.MaxInt32/max(int64(d), 1) {
			return info, 0, f.damaged(path, "its dimensions are too large")
		}
		n *= int64(d)
	}
	return info, n, f.checkSize(path, &info, n)
}

// checkSize refuses a dataset larger than the file can hold. Compressed ones (not Caffe's) are at most deflate's 1,032 times smaller.
func (f *File) checkSize(path string, info *C.gh_info, n int64) error {
	bytes, stored := n*int64(info.size), int64(min(uint64(info.stored), math.MaxInt64))
	limit := f.size
	if stored < bytes {
		limit = min(stored, f.size) * C.gh_max_ratio
	}
	if f.size > 0 && bytes > limit {
		return f.damaged(path, fmt.Sprintf("%d bytes of data in a file of %d", bytes, f.size))
	}
	return nil
}

func (f *File) damaged(path, why string) error {
	return fmt.Errorf("HDF5 file %s: cannot read %s: %s: the file is damaged", f.path, path, why)
}
