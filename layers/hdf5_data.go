package layers

import "github.com/gocaffe/gocaffe/net/spec"

func init() {
	register(Def{Type: "HDF5Data", Data: true, Bottoms: exactly(0), Tops: atLeast(1), Check: checkHDF5Data, Lower: lowerData})
}

// checkHDF5Data checks the parameters of a layer whose tops are rows of the
// datasets of their names: (batch_size, …) each, in the files that source lists.
func checkHDF5Data(l *spec.Layer) error {
	switch p := l.GetHdf5DataParam(); {
	case l.GetTransformParam() != nil:
		return l.FieldErrorf("transform_param", "HDF5Data does not transform data.")
	case p.GetSource() == "":
		return l.FieldErrorf("hdf5_data_param", "hdf5_data_param.source must name a list of HDF5 files")
	case p.GetBatchSize() == 0:
		return l.FieldErrorf("hdf5_data_param", "Positive batch size required: set hdf5_data_param.batch_size")
	}
	return nil
}
