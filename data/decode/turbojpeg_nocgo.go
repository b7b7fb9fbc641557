//go:build !cgo

package decode

import "errors"

var errNoCgo = errors.New("cannot decode JPEG: this binary was built without cgo")

type jpegDecoder struct{}

// Library returns the name of the JPEG library that is in use, or an error that says what to install.
func Library() (string, error) { return "", errNoCgo }

func (*jpegDecoder) decompress(*Image, []byte, pixelFormat) error { return errNoCgo }

func (*jpegDecoder) close() {}
