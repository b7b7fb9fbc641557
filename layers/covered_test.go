package layers_test

import (
	"slices"
	"strings"
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
	"DenseImageData":       "its batches come from files: TestDenseImages in package data",
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

// bvlcTypes are the layer types of BVLC Caffe. What another fork has is not
// registered under Caffe's name, and the other way round.
const bvlcTypes = `AbsVal Accuracy ArgMax BNLL BatchNorm BatchReindex Bias Clip Concat ContrastiveLoss Convolution Crop Data Deconvolution
Dropout DummyData ELU Eltwise Embed EuclideanLoss Exp Filter Flatten HDF5Data HDF5Output HingeLoss Im2col ImageData InfogainLoss InnerProduct
Input LRN LSTM LSTMUnit Log MVN MemoryData MultinomialLogisticLoss PReLU Parameter Pooling Power Python RNN ReLU Reduction Reshape SPP Scale
Sigmoid SigmoidCrossEntropyLoss Silence Slice Softmax SoftmaxWithLoss Split Swish TanH Threshold Tile WindowData`

// TestOrigins: Def.From is empty for the types of BVLC Caffe, of which none is
// missing, and for no other.
func TestOrigins(t *testing.T) {
	bvlc := strings.Fields(bvlcTypes)
	if len(bvlc) != 61 {
		t.Errorf("%d types, BVLC Caffe has 61", len(bvlc))
	}
	for _, d := range layers.Defs() {
		i := slices.Index(bvlc, d.Type)
		if (i >= 0) != (d.From == "") {
			t.Errorf("%s has From: %q", d.Type, d.From)
		}
		if i >= 0 {
			bvlc = slices.Delete(bvlc, i, i+1)
		}
	}
	if len(bvlc) > 0 {
		t.Errorf("not registered: %v", bvlc)
	}
}
