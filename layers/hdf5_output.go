package layers

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "HDF5Output", Bottoms: exactly(2), Tops: exactly(0), Check: checkHDF5Output, Lower: lowerHDF5Output})
}

func checkHDF5Output(l *spec.Layer) error {
	if l.GetHdf5OutputParam().GetFileName() == "" {
		return l.FieldErrorf("hdf5_output_param", "hdf5_output_param.file_name must name the file to write")
	}
	return nil
}

// lowerHDF5Output hands both bottoms, of N items each, to the host after each
// forward pass: it writes those of all passes to the file, bottom[0] as dataset
// data, bottom[1] as label, each with 4 axes (Caffe fails at the second pass).
func lowerHDF5Output(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	data, label := legacy(b, bottom[0]), legacy(b, bottom[1])
	if b.Err() != nil {
		return nil
	}
	if data[0] != label[0] {
		b.Failf("data blob and label blob must have the same batch size: %s has shape %v, %s has %v", l.GetBottom()[0], data, l.GetBottom()[1], label)
		return nil
	}
	b.Sink(b.Reshape(bottom[0], data...), b.Reshape(bottom[1], label...))
	return nil
}
