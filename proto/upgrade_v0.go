package proto

import (
	"slices"
	"strings"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// v0Types are the types of V0 layers. "padding" is not one of them: it becomes part of the layer
// that it feeds.
var v0Types = map[string]v1Type{
	"accuracy":                  caffepb.V1LayerParameter_ACCURACY,
	"bnll":                      caffepb.V1LayerParameter_BNLL,
	"concat":                    caffepb.V1LayerParameter_CONCAT,
	"conv":                      caffepb.V1LayerParameter_CONVOLUTION,
	"data":                      caffepb.V1LayerParameter_DATA,
	"dropout":                   caffepb.V1LayerParameter_DROPOUT,
	"euclidean_loss":            caffepb.V1LayerParameter_EUCLIDEAN_LOSS,
	"flatten":                   caffepb.V1LayerParameter_FLATTEN,
	"hdf5_data":                 caffepb.V1LayerParameter_HDF5_DATA,
	"hdf5_output":               caffepb.V1LayerParameter_HDF5_OUTPUT,
	"im2col":                    caffepb.V1LayerParameter_IM2COL,
	"images":                    caffepb.V1LayerParameter_IMAGE_DATA,
	"infogain_loss":             caffepb.V1LayerParameter_INFOGAIN_LOSS,
	"innerproduct":              caffepb.V1LayerParameter_INNER_PRODUCT,
	"lrn":                       caffepb.V1LayerParameter_LRN,
	"multinomial_logistic_loss": caffepb.V1LayerParameter_MULTINOMIAL_LOGISTIC_LOSS,
	"pool":                      caffepb.V1LayerParameter_POOLING,
	"relu":                      caffepb.V1LayerParameter_RELU,
	"sigmoid":                   caffepb.V1LayerParameter_SIGMOID,
	"softmax":                   caffepb.V1LayerParameter_SOFTMAX,
	"softmax_loss":              caffepb.V1LayerParameter_SOFTMAX_LOSS,
	"split":                     caffepb.V1LayerParameter_SPLIT,
	"tanh":                      caffepb.V1LayerParameter_TANH,
	"window_data":               caffepb.V1LayerParameter_WINDOW_DATA,
}

// v0Option says where an option of V0 layers went: for each type that has it, or for all types
// under "".
type v0Option struct {
	field protoreflect.Name
	to    map[string]string
}

// v0Options are in the order in which Caffe looks at them.
var v0Options = []v0Option{
	{"num_output", map[string]string{"conv": "convolution_param.num_output", "innerproduct": "inner_product_param.num_output"}},
	{"biasterm", map[string]string{"conv": "convolution_param.bias_term", "innerproduct": "inner_product_param.bias_term"}},
	{"weight_filler", map[string]string{"conv": "convolution_param.weight_filler", "innerproduct": "inner_product_param.weight_filler"}},
	{"bias_filler", map[string]string{"conv": "convolution_param.bias_filler", "innerproduct": "inner_product_param.bias_filler"}},
	{"pad", map[string]string{"conv": "convolution_param.pad", "pool": "pooling_param.pad"}},
	{"kernelsize", map[string]string{"conv": "convolution_param.kernel_size", "pool": "pooling_param.kernel_size"}},
	{"group", map[string]string{"conv": "convolution_param.group"}},
	{"stride", map[string]string{"conv": "convolution_param.stride", "pool": "pooling_param.stride"}},
	{"pool", map[string]string{"pool": "pooling_param.pool"}},
	{"dropout_ratio", map[string]string{"dropout": "dropout_param.dropout_ratio"}},
	{"local_size", map[string]string{"lrn": "lrn_param.local_size"}},
	{"alpha", map[string]string{"lrn": "lrn_param.alpha"}},
	{"beta", map[string]string{"lrn": "lrn_param.beta"}},
	{"k", map[string]string{"lrn": "lrn_param.k"}},
	{"source", map[string]string{"data": "data_param.source", "hdf5_data": "hdf5_data_param.source", "images": "image_data_param.source",
		"window_data": "window_data_param.source", "infogain_loss": "infogain_loss_param.source"}},
	{"scale", map[string]string{"": "transform_param.scale"}},
	{"meanfile", map[string]string{"": "transform_param.mean_file"}},
	{"batchsize", map[string]string{"data": "data_param.batch_size", "hdf5_data": "hdf5_data_param.batch_size",
		"images": "image_data_param.batch_size", "window_data": "window_data_param.batch_size"}},
	{"cropsize", map[string]string{"": "transform_param.crop_size"}},
	{"mirror", map[string]string{"": "transform_param.mirror"}},
	{"rand_skip", map[string]string{"data": "data_param.rand_skip", "images": "image_data_param.rand_skip"}},
	{"shuffle_images", map[string]string{"images": "image_data_param.shuffle"}},
	{"new_height", map[string]string{"images": "image_data_param.new_height"}},
	{"new_width", map[string]string{"images": "image_data_param.new_width"}},
	{"concat_dim", map[string]string{"concat": "concat_param.concat_dim"}},
	{"det_fg_threshold", map[string]string{"window_data": "window_data_param.fg_threshold"}},
	{"det_bg_threshold", map[string]string{"window_data": "window_data_param.bg_threshold"}},
	{"det_fg_fraction", map[string]string{"window_data": "window_data_param.fg_fraction"}},
	{"det_context_pad", map[string]string{"window_data": "window_data_param.context_pad"}},
	{"det_crop_mode", map[string]string{"window_data": "window_data_param.crop_mode"}},
	{"hdf5_output_param", map[string]string{"hdf5_output": "hdf5_output_param"}},
}

func hasV0Layers(net *caffepb.NetParameter) bool {
	return slices.ContainsFunc(net.Layers, func(l *caffepb.V1LayerParameter) bool { return l.Layer != nil })
}

// upgradeV0 turns V0 layers into V1 layers. Options that the layer's type does not have are dropped
// with a logged error, as Caffe does.
func upgradeV0(f *NetFile) error {
	if err := f.refuseMixed(); err != nil {
		return err
	}
	if err := foldPadding(f); err != nil {
		return err
	}
	for i, from := range f.Net.Layers {
		if err := f.checkV0(i); err != nil {
			return err
		}
		f.warnDropped(f.v1[i], from.ProtoReflect(), "bottom", "top", "layer")
		layer, at := v0Layer(from, f.v1[i])
		f.moveV0Options(layer, at, from.Layer, f.v1[i])
		f.Net.Layers[i], f.v1[i] = layer, at
	}
	net := f.Net
	f.warnDropped(f.root, net.ProtoReflect(), "name", "layers", "input", "input_dim", "force_backward")
	f.Net = &caffepb.NetParameter{Name: net.Name, Layers: net.Layers, Input: net.Input, InputDim: net.InputDim, ForceBackward: net.ForceBackward}
	return nil
}

// checkV0 refuses what has no counterpart today.
func (f *NetFile) checkV0(i int) error {
	l, at := f.Net.Layers[i].Layer, f.v1[i]
	if l == nil {
		return f.errorAt(at, "V1 layer %q among V0 layers ('layers { layer { ... } }'): Caffe would read it without name and type. "+
			"Use one spelling for all layers.", f.Net.Layers[i].GetName())
	}
	if _, ok := v0Types[l.GetType()]; ok || l.Type == nil {
		return nil
	}
	names := []string{"padding"}
	for name := range v0Types {
		names = append(names, name)
	}
	slices.Sort(names)
	hint := "."
	if near := Nearest(l.GetType(), names); near != "" {
		hint = ": did you mean " + near + "?"
	}
	return f.errorAt(at.find("layer.type"), "Unknown layer name: %s (V0 layer %q)%s", l.GetType(), l.GetName(), hint)
}

// warnDropped names the fields of a message that V0 nets did not have, which Caffe drops with V0.
func (f *NetFile) warnDropped(at *node, m protoreflect.Message, kept ...protoreflect.Name) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		if fd := fields.Get(i); m.Has(fd) && !slices.Contains(kept, fd.Name()) {
			f.warn(at.find(string(fd.Name())), "%s is dropped, as Caffe does: V0 nets do not have it.", fd.Name())
		}
	}
}

// v0Layer is what all types have.
func v0Layer(from *caffepb.V1LayerParameter, at *node) (*caffepb.V1LayerParameter, *node) {
	v0 := from.Layer
	layer := &caffepb.V1LayerParameter{Bottom: from.Bottom, Top: from.Top, Name: v0.Name, Blobs: v0.Blobs, BlobsLr: v0.BlobsLr, WeightDecay: v0.WeightDecay}
	if v0.Type != nil {
		layer.Type = v0Types[v0.GetType()].Enum()
	}
	if at == nil {
		return layer, nil
	}
	to := &node{name: at.name, line: at.line, col: at.col}
	to.addAll("bottom", at.all("bottom"))
	to.addAll("top", at.all("top"))
	for _, name := range []protoreflect.Name{"name", "type", "blobs", "blobs_lr", "weight_decay"} {
		to.addAll(name, at.find("layer").all(name))
	}
	return layer, to
}

// moveV0Options moves the options to the message of the layer's type.
func (f *NetFile) moveV0Options(layer *caffepb.V1LayerParameter, at *node, from *caffepb.V0LayerParameter, fromAt *node) {
	m := from.ProtoReflect()
	v0At := fromAt.find("layer")
	for _, option := range v0Options {
		fd := field(m, option.field)
		if !m.Has(fd) {
			continue
		}
		to, ok := option.to[""]
		if !ok {
			to, ok = option.to[from.GetType()]
		}
		if !ok {
			f.log('E', "Unknown parameter "+string(option.field)+" for layer type "+from.GetType(),
				" ("+v0At.find(string(option.field)).at(f.Path).String()+")")
			continue
		}
		setOption(layer.ProtoReflect(), at, to, m.Get(fd), v0At.find(string(option.field)))
	}
}

func isUint(v protoreflect.Value) bool {
	_, ok := v.Interface().(uint32)
	return ok
}

// setOption sets the field "message.field", or "message" as a whole.
func setOption(m protoreflect.Message, at *node, path string, v protoreflect.Value, from *node) {
	outer, inner, nested := strings.Cut(path, ".")
	if nested {
		m, at = m.Mutable(field(m, protoreflect.Name(outer))).Message(), at.sub(protoreflect.Name(outer))
		outer = inner
	}
	name := protoreflect.Name(outer)
	fd := field(m, name)
	switch {
	case fd.IsList():
		m.Mutable(fd).List().Append(v)
	case fd.Kind() == protoreflect.Uint32Kind && !isUint(v):
		m.Set(fd, protoreflect.ValueOfUint32(uint32(v.Int()))) // new_height and new_width were signed
	default:
		// The methods of pooling have the same numbers in both enums.
		m.Set(fd, v)
	}
	at.put(name, from)
}
