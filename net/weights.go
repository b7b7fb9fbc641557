package net

import (
	"errors"
	"slices"

	pb "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// CopyTrained sets the params from trained weights by layer name. File names
// the weights in errors. Layers that the net does not have are logged and left
// out, layers that the file does not have keep their values; a layer of both
// must have the same blobs. Nothing is changed where anything does not fit.
func (n *Net) CopyTrained(w *caffepb.NetParameter, file string) (Copied, error) {
	var done Copied
	var errs []error
	values := map[int][]float32{} // by param
	loaded := make([]bool, len(n.spec.Layers))
	for _, from := range w.GetLayer() {
		i := slices.IndexFunc(n.spec.Layers, func(l *spec.Layer) bool { return l.GetName() == from.GetName() })
		if i < 0 {
			n.o.Log.Infof("net.cpp", 746, "Ignoring source layer %s", from.GetName())
			done.Ignored = append(done.Ignored, from.GetName())
			continue
		}
		if err := n.copyLayer(i, from, file, values); err != nil {
			errs = append(errs, err)
		}
		loaded[i] = true
	}
	if err := errors.Join(errs...); err != nil {
		return Copied{}, err
	}
	for p, v := range values {
		if err := n.WriteParam(p, v); err != nil {
			return done, err
		}
	}
	for i, l := range n.spec.Layers {
		switch {
		case len(n.now.graph.Uses[i]) == 0:
		case loaded[i]:
			done.Loaded = append(done.Loaded, l.GetName())
		case n.given(i, values):
			// All its blobs are those of layers that were read.
		default:
			done.Initial = append(done.Initial, l.GetName())
		}
	}
	return done, nil
}

// given reports whether all params of layer i are among values.
func (n *Net) given(i int, values map[int][]float32) bool {
	for _, u := range n.now.graph.Uses[i] {
		if _, ok := values[u.Param]; !ok {
			return false
		}
	}
	return true
}

// copyLayer collects the values of one layer's blobs. A blob that is another
// layer's may be absent: HDF5 files hold it once.
func (n *Net) copyLayer(i int, from *caffepb.LayerParameter, file string, values map[int][]float32) error {
	l, uses := n.spec.Layers[i], n.now.graph.Uses[i]
	if len(from.GetBlobs()) > len(uses) {
		return l.Errorf("%s: Incompatible number of blobs for layer %s: the file has %d, the net %d",
			file, l.GetName(), len(from.GetBlobs()), len(uses))
	}
	for j, u := range uses {
		p := n.now.graph.Params[u.Param]
		owner := p.Layer == i && p.Index == j
		if j >= len(from.GetBlobs()) || pb.Size(from.GetBlobs()[j]) == 0 {
			if owner {
				return l.Errorf("%s: Incompatible number of blobs for layer %s: the file has %d, the net %d",
					file, l.GetName(), len(from.GetBlobs()), len(uses))
			}
			continue
		}
		blob := from.GetBlobs()[j]
		dims, err := proto.BlobShape(blob)
		if err != nil {
			return l.Errorf("%s: blob %d: %w", file, j, err)
		}
		if have := shapeOf(dims); !sameShape(have, u.Shape, fourAxes(blob)) {
			return l.Errorf("%s: Cannot copy param %d weights from layer '%s'; shape mismatch.  Source param shape is %s; target param shape is %s. "+
				"To learn this layer's parameters from scratch rather than copying from a saved net, rename the layer.",
				file, j, l.GetName(), counted(have), counted(u.Shape))
		}
		if values[u.Param], err = proto.BlobData(blob); err != nil {
			return l.Errorf("%s: blob %d: %w", file, j, err)
		}
	}
	return nil
}

func shapeOf(dims []int64) engine.Shape {
	s := engine.Shape{}
	for _, d := range dims {
		s = append(s, int(d))
	}
	return s
}

// fourAxes reports whether a blob has the four numbers of old files. They win over
// a shape beside them.
func fourAxes(b *caffepb.BlobProto) bool {
	return b.Num != nil || b.Channels != nil || b.Height != nil || b.Width != nil
}

// sameShape compares shapes; those of old files have four axes, which count
// from the right: 1 1 M N is M N.
func sameShape(have, want engine.Shape, legacy bool) bool {
	if !legacy || len(have) != 4 || len(want) > 4 {
		return have.Equal(want)
	}
	full := engine.Shape{1, 1, 1, 1}
	copy(full[4-len(want):], want)
	return have.Equal(full)
}

// ToProto is the net with its weights as a .caffemodel holds them: every layer,
// data and Split layers too, with a blob for each of its params. withDiff adds
// the params' gradients.
func (n *Net) ToProto(withDiff bool) (*caffepb.NetParameter, error) {
	g := n.now.graph
	out := &caffepb.NetParameter{Name: n.spec.Filtered.Name}
	if out.Name == nil {
		out.Name = pb.String("")
	}
	blobs := make([]*caffepb.BlobProto, len(g.Params))
	for i, p := range g.Params {
		values := make([]float32, g.Shape(p.Value).Count())
		if err := n.ReadParam(i, values); err != nil {
			return nil, err
		}
		blobs[i] = &caffepb.BlobProto{Data: values}
		if withDiff {
			blobs[i].Diff = make([]float32, len(values))
			if err := n.ReadDiff(i, blobs[i].Diff); err != nil {
				return nil, err
			}
		}
	}
	for i, l := range n.spec.Layers {
		m := pb.CloneOf(l.LayerParameter)
		explicit(m, l)
		m.Blobs = nil
		for _, u := range g.Uses[i] {
			b := proto.NewBlob(u.Shape, blobs[u.Param].Data)
			b.Diff = blobs[u.Param].Diff
			m.Blobs = append(m.Blobs, b)
		}
		out.Layer = append(out.Layer, m)
	}
	return out, nil
}

// explicit sets what Caffe's layers set in their own message, so that it shows
// in saved nets: losses their weight, BatchNorm that its blobs do not learn.
func explicit(m *caffepb.LayerParameter, l *spec.Layer) {
	if d, err := layers.Lookup(l); err == nil && d.Loss && len(m.LossWeight) == 0 {
		m.LossWeight = []float32{1}
	}
	if m.GetType() == "BatchNorm" {
		for len(m.Param) < 3 {
			m.Param = append(m.Param, &caffepb.ParamSpec{LrMult: pb.Float32(0)})
		}
	}
}
