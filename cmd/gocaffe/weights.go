package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/gocaffe/gocaffe/data/hdf5/snapshot"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// readWeights reads a .caffemodel or a .caffemodel.h5.
func readWeights(file string) (*caffepb.NetParameter, error) {
	h5, err := isHDF5(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fatalf("net.cpp", 794, "Couldn't open %s: %w", file, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fatalAt("net.cpp", 783, err)
	}
	read := proto.ReadNetWeights
	if h5 {
		read = snapshot.HDF5{}.ReadWeights
	}
	w, err := read(file)
	return w, fatalAt("net.cpp", 783, err)
}

// isHDF5 tells whether a file begins as HDF5 files do.
func isHDF5(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	signature := []byte("\x89HDF\r\n\x1a\n")
	head := make([]byte, len(signature))
	if _, err := io.ReadFull(f, head); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	return bytes.Equal(head, signature), nil
}
