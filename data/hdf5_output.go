package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gocaffe/gocaffe/data/hdf5"
	"github.com/gocaffe/gocaffe/engine"
)

// HDF5Output is the file of an HDF5Output layer: the rows of all batches as datasets data and label. They are kept in memory and written
// when the file is closed; a batch more never costs those before it. It is used by one goroutine at a time.
type HDF5Output struct {
	path  string
	log   Logger
	sets  [2][]float32
	items [2]engine.Shape // of one row
	rows  int
}

// datasets are the names that Caffe gives.
var datasets = [2]string{"data", "label"}

// CreateHDF5Output prepares to write the file at path. It fails where Close could not write it: without libhdf5, without the folder.
func CreateHDF5Output(path string, log Logger) (*HDF5Output, error) {
	if log == nil {
		log = Discard
	}
	if _, err := hdf5.Library(); err != nil {
		return nil, fmt.Errorf("Failed to open HDF5 file %s: %w", path, err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("Failed to open HDF5 file %s: there is no folder %s", path, filepath.Dir(path))
	}
	return &HDF5Output{path: path, log: log}, nil
}

// Write adds the rows of a batch: data and labels, each with the same number of rows, of the shapes of the first batch.
func (o *HDF5Output) Write(shapes []engine.Shape, data [][]float32) error {
	if len(shapes) != 2 || len(data) != 2 || len(shapes[0]) == 0 || len(shapes[1]) == 0 || shapes[0][0] != shapes[1][0] {
		return fmt.Errorf("HDF5 file %s: want data and labels of as many rows, got shapes %v", o.path, shapes)
	}
	for i, s := range shapes {
		if s.Count() != len(data[i]) {
			return fmt.Errorf("HDF5 file %s: %d values do not fill the shape %v of %s", o.path, len(data[i]), s, datasets[i])
		}
		if o.rows > 0 && !s[1:].Equal(o.items[i]) {
			return fmt.Errorf("HDF5 file %s: a row of %s has shape %v, in the batches before it had %v", o.path, datasets[i], s[1:], o.items[i])
		}
	}
	for i, s := range shapes {
		o.items[i] = s[1:].Clone()
		o.sets[i] = append(o.sets[i], data[i]...)
	}
	o.rows += shapes[0][0]
	return nil
}

// Close writes the file, in place of one that is there, unless there was no batch.
func (o *HDF5Output) Close() error {
	if o.rows == 0 {
		return nil
	}
	o.log.Infof("hdf5_output_layer.cpp", 33, "Saving HDF5 file %s", o.path)
	partial := o.path + ".partial"
	f, err := hdf5.Create(partial)
	if err != nil {
		return err
	}
	for i, name := range datasets {
		if err == nil {
			err = f.WriteFloats(name, slices.Concat([]int{o.rows}, o.items[i]), o.sets[i])
		}
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(partial, o.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	o.log.Infof("hdf5_output_layer.cpp", 38, "Successfully saved %d rows", o.rows)
	o.rows, o.sets = 0, [2][]float32{}
	return nil
}
