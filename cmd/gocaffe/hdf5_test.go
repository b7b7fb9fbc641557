package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/data/hdf5"
)

// Rows of an HDF5 file go through a net to another HDF5 file.
func TestHDF5Layers(t *testing.T) {
	if _, err := hdf5.Library(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Chdir(t.TempDir())
	f, err := hdf5.Create("in.h5")
	if err == nil {
		err = f.WriteFloats("x", []int{3, 2}, []float32{1, 2, 3, 4, 5, 6})
	}
	if err == nil {
		err = f.WriteFloats("y", []int{3}, []float32{7, 8, 9})
	}
	if err == nil {
		err = f.Close()
	}
	for name, text := range map[string]string{"list.txt": "in.h5\n", "net.prototxt": `
layer { name: "in" type: "HDF5Data" top: "x" top: "y" hdf5_data_param { source: "list.txt" batch_size: 2 } }
layer { name: "double" type: "Power" bottom: "x" top: "z" power_param { scale: 2 } }
layer { name: "mean" type: "Reduction" bottom: "y" top: "m" reduction_param { operation: MEAN } }
layer { name: "out" type: "HDF5Output" bottom: "z" bottom: "y" hdf5_output_param { file_name: "out.h5" } }
`} {
		if err == nil {
			err = os.WriteFile(name, []byte(text), 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("none.caffemodel", []byte("\n\x01n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, log := call("caffe", "test", "-model", "net.prototxt", "-weights", "none.caffemodel", "-iterations", "2", "-engine", "ref")
	if code != 0 || !strings.Contains(log, "m = 7.75") { // of labels 7 8 and 9 7
		t.Fatalf("exit %d: %s", code, last(log, 2000))
	}
	out, err := hdf5.Open("out.h5")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	shape, z, err := out.ReadFloats("data")
	if err != nil || !slices.Equal(shape, []int{4, 2, 1, 1}) || !slices.Equal(z, []float32{2, 4, 6, 8, 10, 12, 2, 4}) {
		t.Errorf("data is %v %v, %v", shape, z, err)
	}
}
