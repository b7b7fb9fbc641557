package solver

import (
	"testing"

	"github.com/gocaffe/gocaffe/data/hdf5"
	"github.com/gocaffe/gocaffe/data/hdf5/snapshot"
)

// testHDF5 is nil where the tests run without libhdf5.
var testHDF5 = openHDF5()

func openHDF5() HDF5 {
	if _, err := hdf5.Library(); err != nil {
		return nil
	}
	return snapshot.HDF5{}
}

func compareHDF5(t *testing.T, got, want string) {
	t.Helper()
	g, err := testHDF5.ReadWeights(got + ".caffemodel.h5")
	if err != nil {
		t.Fatal(err)
	}
	w, err := testHDF5.ReadWeights(want + ".caffemodel.h5")
	if err != nil {
		t.Fatal(err)
	}
	compareWeights(t, g, w)
	gs, err := testHDF5.ReadState(got + ".solverstate.h5")
	if err != nil {
		t.Fatal(err)
	}
	ws, err := testHDF5.ReadState(want + ".solverstate.h5")
	if err != nil {
		t.Fatal(err)
	}
	compareStates(t, gs, ws)
}
