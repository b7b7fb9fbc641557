package proto

import (
	"slices"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// foldPadding removes padding layers. The convolution or pooling layer that one feeds gets its pad
// and its bottom.
func foldPadding(f *NetFile) error {
	net := f.Net
	maker := map[string]int{} // index of the layer that last wrote a blob
	for _, name := range net.Input {
		maker[name] = -1
	}
	layers, places := []*caffepb.V1LayerParameter{}, []*node{}
	for i, l := range net.Layers {
		folded, at := l, f.v1[i]
		for j, name := range l.Bottom {
			source, ok := maker[name]
			if !ok {
				return f.errorAt(at.find(indexed("bottom", j)), "Unknown blob input %s to layer %s: no layer before it has this top.", name, l.GetLayer().GetName())
			}
			if source < 0 || net.Layers[source].GetLayer().GetType() != "padding" {
				continue
			}
			if err := f.checkPadding(i, source); err != nil {
				return err
			}
			folded, at = withPadding(l, at, net.Layers[source], f.v1[source])
		}
		if l.GetLayer().GetType() != "padding" {
			layers, places = append(layers, folded), append(places, at)
		}
		for _, name := range l.Top {
			maker[name] = i
		}
	}
	net.Layers, f.v1 = layers, places
	return nil
}

// checkPadding: Caffe folds a padding layer only where this is all that happens to its input.
func (f *NetFile) checkPadding(i, source int) error {
	l, padding := f.Net.Layers[i], f.Net.Layers[source]
	name := padding.GetLayer().GetName()
	switch typ := l.GetLayer().GetType(); {
	case typ != "conv" && typ != "pool":
		return f.errorAt(f.v1[i], "Padding layer input to non-convolutional / non-pooling layer type %s: "+
			"padding layer %q can only feed conv and pool.", typ, name)
	case len(l.Bottom) != 1:
		return f.errorAt(f.v1[i], "Conv Layer takes a single blob as input: layer %q has %d.", l.GetLayer().GetName(), len(l.Bottom))
	case len(padding.Bottom) != 1:
		return f.errorAt(f.v1[source], "Padding Layer takes a single blob as input: layer %q has %d.", name, len(padding.Bottom))
	case len(padding.Top) != 1:
		return f.errorAt(f.v1[source], "Padding Layer produces a single blob as output: layer %q has %d.", name, len(padding.Top))
	}
	return nil
}

// withPadding is a copy of the layer, because several layers may share a padding layer, and the
// layers before are still looked at.
func withPadding(l *caffepb.V1LayerParameter, at *node, padding *caffepb.V1LayerParameter, paddingAt *node) (*caffepb.V1LayerParameter, *node) {
	v0, folded := shallowCopy(l.Layer), shallowCopy(l)
	v0.Pad = proto.Uint32(padding.Layer.GetPad())
	folded.Layer, folded.Bottom = v0, slices.Clone(padding.Bottom)
	at = at.copyAs("layers")
	at.sub("layer").put("pad", paddingAt.find("layer.pad"))
	at.put("bottom", paddingAt.find("bottom"))
	return folded, at
}

// shallowCopy shares lists and messages with the original.
func shallowCopy[M proto.Message](from M) M {
	to := from.ProtoReflect().New()
	from.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		to.Set(fd, v)
		return true
	})
	return to.Interface().(M)
}
