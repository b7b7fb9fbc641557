package layers_test

import (
	"slices"
	"testing"

	"github.com/gocaffe/gocaffe/layers"
)

// goldenElsewhere are the types without a golden of their own here, and where
// they are tested.
var goldenElsewhere = map[string]string{
	"Data":                 "its batches come from a source: golden/data, in package data",
	"ImageData":            "its batches come from a source: golden/data, in package data",
	"HDF5Data":             "its batches come from files: TestHDF5Order in package data",
	"HDF5Output":           "what it writes: TestHDF5Output in package data, TestSinks in package net",
	"L1Loss":               "computed by hand: TestL1Loss",
	"DepthwiseConvolution": "as Convolution: TestDepthwiseConvolution",
	"LSTMUnit":             "computed by hand: TestLSTMUnit",
	"MemoryData":           "its batches come from a program: TestShapes",
	"WindowData":           "its batches come from files: TestWindows in package data",
}

// TestEveryTypeIsCovered: each registered type occurs in a golden net, or there
// is a reason.
func TestEveryTypeIsCovered(t *testing.T) {
	var seen []string
	for _, dir := range []string{ownGoldens, forkGoldens} {
		for _, name := range goldenNames(t, dir) {
			for _, l := range readCase(t, dir, name).file.Net.GetLayer() {
				seen = append(seen, l.GetType())
			}
		}
	}
	for _, typ := range layers.Types() {
		_, excused := goldenElsewhere[typ]
		switch covered := slices.Contains(seen, typ); {
		case !covered && !excused:
			t.Errorf("no golden has a layer of type %s: add one to testdata/golden/layers", typ)
		case covered && excused:
			t.Errorf("%s has a golden now: take it from the list of exceptions", typ)
		}
	}
}
