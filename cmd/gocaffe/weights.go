package main

import (
	"errors"
	"io/fs"

	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// readWeights reads a .caffemodel.
func readWeights(file string) (*caffepb.NetParameter, error) {
	w, err := proto.ReadNetWeights(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fatalf("net.cpp", 794, "Couldn't open %s: %w", file, err)
	}
	return w, fatalAt("net.cpp", 783, err)
}
