package proto

import (
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// transformFields of the data layers moved to transform_param. Only V1 layers are upgraded: in a
// "layer" of today these fields have no effect, as in Caffe.
var transformFields = []protoreflect.Name{"scale", "mean_file", "crop_size", "mirror"}

// dataParams are the messages that had them.
var dataParams = map[v1Type]protoreflect.Name{
	caffepb.V1LayerParameter_DATA:        "data_param",
	caffepb.V1LayerParameter_IMAGE_DATA:  "image_data_param",
	caffepb.V1LayerParameter_WINDOW_DATA: "window_data_param",
}

func field(m protoreflect.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
	return m.Descriptor().Fields().ByName(name)
}

func hasTransformFields(net *caffepb.NetParameter) bool {
	for _, layer := range net.Layers {
		param, ok := dataParams[layer.GetType()]
		if !ok {
			continue
		}
		m := layer.ProtoReflect()
		from := m.Get(field(m, param)).Message()
		for _, name := range transformFields {
			if from.Has(field(from, name)) {
				return true
			}
		}
	}
	return false
}

// upgradeTransform gives every data layer both messages, even where it has nothing to move, because
// Caffe does.
func upgradeTransform(f *NetFile) error {
	for i, layer := range f.Net.Layers {
		param, ok := dataParams[layer.GetType()]
		if !ok {
			continue
		}
		m := layer.ProtoReflect()
		from, to := m.Mutable(field(m, param)).Message(), m.Mutable(field(m, "transform_param")).Message()
		fromNode, toNode := f.v1[i].sub(param), f.v1[i].sub("transform_param")
		for _, name := range transformFields {
			fd := field(from, name)
			if !from.Has(fd) {
				continue
			}
			to.Set(field(to, name), from.Get(fd))
			from.Clear(fd)
			toNode.put(name, fromNode.take(name))
		}
	}
	return nil
}
