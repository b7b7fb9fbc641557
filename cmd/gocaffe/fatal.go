package main

import (
	"errors"
	"fmt"
)

// fatalError ends the program with an F line of this place of Caffe's source.
type fatalError struct {
	file string
	line int
	err  error
}

func (e *fatalError) Error() string { return e.err.Error() }
func (e *fatalError) Unwrap() error { return e.err }

// fatalf makes a fatal error.
func fatalf(file string, line int, format string, args ...any) error {
	return &fatalError{file, line, fmt.Errorf(format, args...)}
}

// fatalAt gives an error its place, unless it has one already. A nil error stays nil.
func fatalAt(file string, line int, err error) error {
	var f *fatalError
	if err == nil || errors.As(err, &f) {
		return err
	}
	return &fatalError{file, line, err}
}

// fatalOf is the fatal error in err, or err at the program's own place.
func fatalOf(err error) *fatalError {
	var f *fatalError
	if errors.As(err, &f) {
		return &fatalError{f.file, f.line, err}
	}
	return &fatalError{"gocaffe.go", 1, err}
}
