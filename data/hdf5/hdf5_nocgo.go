//go:build !cgo

// Package hdf5 reads and writes HDF5 files through libhdf5, which this build, without cgo, cannot use.
package hdf5

import "errors"

var errNoCgo = errors.New("cannot use HDF5: this binary was built without cgo; use snapshot_format: BINARYPROTO")

// File is an open file.
type File struct{}

// Library returns an error.
func Library() (string, error) { return "", errNoCgo }

// Create returns an error.
func Create(string) (*File, error) { return nil, errNoCgo }

// Open returns an error.
func Open(string) (*File, error) { return nil, errNoCgo }

// Path is empty.
func (*File) Path() string { return "" }

// Size is 0.
func (*File) Size() int64 { return 0 }

// Close does nothing.
func (*File) Close() error { return nil }

// Exists returns an error.
func (*File) Exists(string) (bool, error) { return false, errNoCgo }

// CreateGroup returns an error.
func (*File) CreateGroup(string) error { return errNoCgo }

// List returns an error.
func (*File) List(string) ([]string, error) { return nil, errNoCgo }

// WriteFloats returns an error.
func (*File) WriteFloats(string, []int, []float32) error { return errNoCgo }

// WriteInt returns an error.
func (*File) WriteInt(string, int) error { return errNoCgo }

// WriteString returns an error.
func (*File) WriteString(_, _ string) error { return errNoCgo }

// ReadFloats returns an error.
func (*File) ReadFloats(string) ([]int, []float32, error) { return nil, nil, errNoCgo }

// ReadInt returns an error.
func (*File) ReadInt(string) (int, error) { return 0, errNoCgo }

// ReadString returns an error.
func (*File) ReadString(string) (string, error) { return "", errNoCgo }
