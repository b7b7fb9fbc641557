// Package snapshot keeps weights and solver states in HDF5 files as Caffe does (snapshot_format: HDF5). The contents are the messages
// that the binary formats hold.
//
// Weights: the dataset /data/<layer>/<i> for each blob, and with gradients /diff/<layer>/<i>. A blob that layers share by name is there
// once, with the first of them. A state: the datasets iter, learned_net, current_step and history/<i>.
package snapshot

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gocaffe/gocaffe/data/hdf5"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// HDF5 reads and writes the files. Errors name the file, and say what to install where libhdf5 is missing.
type HDF5 struct{}

// ReadWeights reads a .caffemodel.h5: layers with their blobs, nothing else. A blob that another layer has is empty.
func (HDF5) ReadWeights(path string) (*caffepb.NetParameter, error) {
	f, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	w := &caffepb.NetParameter{}
	ok, err := f.Exists("/data")
	if err == nil && !ok {
		err = fmt.Errorf("%s: no group /data: not a .caffemodel.h5", path)
	}
	if err == nil {
		err = (&layerReader{file: f, weights: w, left: f.Size() / minLink}).read("/data", "", 0)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return w, nil
}

// layerReader collects the layers below a group. In a damaged file a group may lie in itself, so that depth and number are bounded.
type layerReader struct {
	file    *hdf5.File
	weights *caffepb.NetParameter
	left    int64 // how many names the file can still hold
}

const (
	minLink  = 12 // bytes of the shortest link to an object
	maxDepth = 64 // of groups, one for each slash in a layer's name
)

var errCycle = errors.New("a group lies in itself: the file is damaged")

// read reads the layers in a group. A layer's name may have slashes in it, so that it lies in groups of its own.
func (r *layerReader) read(group, name string, depth int) error {
	names, err := r.file.List(group)
	if err != nil {
		return err
	}
	if r.left -= int64(len(names)); r.left < 0 || depth > maxDepth {
		return fmt.Errorf("%s: %s: %w", r.file.Path(), group, errCycle)
	}
	blobs := map[int]*caffepb.BlobProto{}
	count := 0
	for _, child := range names {
		path := group + "/" + child
		if i, err := strconv.Atoi(child); err == nil && i >= 0 && i < maxBlobs {
			if shape, values, err := r.file.ReadFloats(path); err == nil {
				blobs[i], count = proto.NewBlob(shape, values), max(count, i+1)
				continue
			} else if _, notGroup := r.file.List(path); notGroup != nil {
				return err
			}
		}
		inner := child
		if name != "" {
			inner = name + "/" + child
		}
		if err := r.read(path, inner, depth+1); err != nil {
			return err
		}
	}
	if name == "" || count == 0 && len(names) > 0 {
		return nil // no layer, only the beginning of layers' names
	}
	layer := &caffepb.LayerParameter{Name: &name}
	for i := range count {
		b := blobs[i]
		if b == nil {
			b = &caffepb.BlobProto{}
		}
		layer.Blobs = append(layer.Blobs, b)
	}
	r.weights.Layer = append(r.weights.Layer, layer)
	return nil
}

// maxBlobs bounds the number of a layer's blobs, against files that are damaged.
const maxBlobs = 1 << 16

// WriteWeights writes the layers' blobs, with their gradients where they have some.
func (HDF5) WriteWeights(path string, w *caffepb.NetParameter) error {
	f, err := hdf5.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(writeLayers(f, w), f.Close())
}

func writeLayers(f *hdf5.File, w *caffepb.NetParameter) error {
	if err := f.CreateGroup("/data"); err != nil {
		return err
	}
	shared := map[string]bool{}
	for _, l := range w.GetLayer() {
		if err := f.CreateGroup("/data/" + l.GetName()); err != nil {
			return err
		}
		for i, b := range l.GetBlobs() {
			if err := writeBlob(f, l, i, b, shared); err != nil {
				return fmt.Errorf("layer %q: blob %d: %w", l.GetName(), i, err)
			}
		}
	}
	return nil
}

func writeBlob(f *hdf5.File, l *caffepb.LayerParameter, i int, b *caffepb.BlobProto, shared map[string]bool) error {
	owned := true
	if i < len(l.GetParam()) && l.GetParam()[i].GetName() != "" {
		name := l.GetParam()[i].GetName()
		owned = !shared[name]
		shared[name] = true
	}
	shape, err := shapeOf(b)
	if err != nil {
		return err
	}
	if owned {
		values, err := proto.BlobData(b)
		if err != nil {
			return err
		}
		if err := f.WriteFloats(fmt.Sprintf("/data/%s/%d", l.GetName(), i), shape, values); err != nil {
			return err
		}
	}
	if len(b.GetDiff()) == 0 && len(b.GetDoubleDiff()) == 0 {
		return nil
	}
	diff, err := proto.BlobDiff(b)
	if err != nil {
		return err
	}
	return f.WriteFloats(fmt.Sprintf("/diff/%s/%d", l.GetName(), i), shape, diff)
}

func shapeOf(b *caffepb.BlobProto) ([]int, error) {
	dims, err := proto.BlobShape(b)
	shape := make([]int, len(dims))
	for i, d := range dims {
		shape[i] = int(d)
	}
	return shape, err
}

// ReadState reads a .solverstate.h5.
func (HDF5) ReadState(path string) (*caffepb.SolverState, error) {
	f, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := readState(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return s, nil
}

func readState(f *hdf5.File) (*caffepb.SolverState, error) {
	iter, err := f.ReadInt("iter")
	if err != nil {
		return nil, err
	}
	step, err := f.ReadInt("current_step")
	if err != nil {
		return nil, err
	}
	iter32, step32 := int32(iter), int32(step)
	s := &caffepb.SolverState{Iter: &iter32, CurrentStep: &step32}
	if ok, err := f.Exists("learned_net"); err != nil {
		return nil, err
	} else if ok {
		net, err := f.ReadString("learned_net")
		if err != nil {
			return nil, err
		}
		s.LearnedNet = &net
	}
	names, err := f.List("history")
	if err != nil {
		return nil, err
	}
	for i := range names {
		shape, values, err := f.ReadFloats("history/" + strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		s.History = append(s.History, proto.NewBlob(shape, values))
	}
	return s, nil
}

// WriteState writes a solver's state.
func (HDF5) WriteState(path string, s *caffepb.SolverState) error {
	f, err := hdf5.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(writeState(f, s), f.Close())
}

func writeState(f *hdf5.File, s *caffepb.SolverState) error {
	err := errors.Join(f.WriteInt("iter", int(s.GetIter())), f.WriteString("learned_net", s.GetLearnedNet()),
		f.WriteInt("current_step", int(s.GetCurrentStep())), f.CreateGroup("history"))
	if err != nil {
		return err
	}
	for i, b := range s.GetHistory() {
		shape, err := shapeOf(b)
		if err != nil {
			return err
		}
		values, err := proto.BlobData(b)
		if err != nil {
			return err
		}
		if err := f.WriteFloats("history/"+strconv.Itoa(i), shape, values); err != nil {
			return err
		}
	}
	return nil
}
