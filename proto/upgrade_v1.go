package proto

import (
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

type v1Type = caffepb.V1LayerParameter_LayerType

// v1Types are the names of the types that V1 layers have as numbers.
var v1Types = map[v1Type]string{
	caffepb.V1LayerParameter_NONE:                       "",
	caffepb.V1LayerParameter_ABSVAL:                     "AbsVal",
	caffepb.V1LayerParameter_ACCURACY:                   "Accuracy",
	caffepb.V1LayerParameter_ARGMAX:                     "ArgMax",
	caffepb.V1LayerParameter_BNLL:                       "BNLL",
	caffepb.V1LayerParameter_CONCAT:                     "Concat",
	caffepb.V1LayerParameter_CONTRASTIVE_LOSS:           "ContrastiveLoss",
	caffepb.V1LayerParameter_CONVOLUTION:                "Convolution",
	caffepb.V1LayerParameter_DATA:                       "Data",
	caffepb.V1LayerParameter_DECONVOLUTION:              "Deconvolution",
	caffepb.V1LayerParameter_DROPOUT:                    "Dropout",
	caffepb.V1LayerParameter_DUMMY_DATA:                 "DummyData",
	caffepb.V1LayerParameter_ELTWISE:                    "Eltwise",
	caffepb.V1LayerParameter_EUCLIDEAN_LOSS:             "EuclideanLoss",
	caffepb.V1LayerParameter_EXP:                        "Exp",
	caffepb.V1LayerParameter_FLATTEN:                    "Flatten",
	caffepb.V1LayerParameter_HDF5_DATA:                  "HDF5Data",
	caffepb.V1LayerParameter_HDF5_OUTPUT:                "HDF5Output",
	caffepb.V1LayerParameter_HINGE_LOSS:                 "HingeLoss",
	caffepb.V1LayerParameter_IM2COL:                     "Im2col",
	caffepb.V1LayerParameter_IMAGE_DATA:                 "ImageData",
	caffepb.V1LayerParameter_INFOGAIN_LOSS:              "InfogainLoss",
	caffepb.V1LayerParameter_INNER_PRODUCT:              "InnerProduct",
	caffepb.V1LayerParameter_LRN:                        "LRN",
	caffepb.V1LayerParameter_MEMORY_DATA:                "MemoryData",
	caffepb.V1LayerParameter_MULTINOMIAL_LOGISTIC_LOSS:  "MultinomialLogisticLoss",
	caffepb.V1LayerParameter_MVN:                        "MVN",
	caffepb.V1LayerParameter_POOLING:                    "Pooling",
	caffepb.V1LayerParameter_POWER:                      "Power",
	caffepb.V1LayerParameter_RELU:                       "ReLU",
	caffepb.V1LayerParameter_SIGMOID:                    "Sigmoid",
	caffepb.V1LayerParameter_SIGMOID_CROSS_ENTROPY_LOSS: "SigmoidCrossEntropyLoss",
	caffepb.V1LayerParameter_SILENCE:                    "Silence",
	caffepb.V1LayerParameter_SLICE:                      "Slice",
	caffepb.V1LayerParameter_SOFTMAX:                    "Softmax",
	caffepb.V1LayerParameter_SOFTMAX_LOSS:               "SoftmaxWithLoss",
	caffepb.V1LayerParameter_SPLIT:                      "Split",
	caffepb.V1LayerParameter_TANH:                       "TanH",
	caffepb.V1LayerParameter_THRESHOLD:                  "Threshold",
	caffepb.V1LayerParameter_WINDOW_DATA:                "WindowData",
}

// upgradeV1 turns "layers" into "layer".
func upgradeV1(f *NetFile) error {
	if err := f.refuseMixed(); err != nil {
		return err
	}
	net := f.Net
	for i, from := range net.Layers {
		net.Layer = append(net.Layer, layerFromV1(from))
		f.layers = append(f.layers, v1Places(f.v1[i]))
	}
	net.Layers, f.v1 = nil, nil
	return nil
}

// layerFromV1 shares all messages with the V1 layer, weights among them.
func layerFromV1(v1 *caffepb.V1LayerParameter) *caffepb.LayerParameter {
	layer := new(caffepb.LayerParameter)
	to := layer.ProtoReflect()
	v1.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if same := to.Descriptor().Fields().ByName(fd.Name()); same != nil && sameType(same, fd) {
			to.Set(same, v)
		}
		return true
	})
	if v1.Type != nil {
		layer.Type = proto.String(v1Types[v1.GetType()])
	}
	for i, name := range v1.Param {
		paramAt(layer, i).Name = proto.String(name)
	}
	for i, mode := range v1.BlobShareMode {
		// Both enums have the same two values.
		paramAt(layer, i).ShareMode = caffepb.ParamSpec_DimCheckMode(mode).Enum()
	}
	for i, lr := range v1.BlobsLr {
		paramAt(layer, i).LrMult = proto.Float32(lr)
	}
	for i, decay := range v1.WeightDecay {
		paramAt(layer, i).DecayMult = proto.Float32(decay)
	}
	return layer
}

func sameType(a, b protoreflect.FieldDescriptor) bool {
	if a.Kind() != b.Kind() || a.Cardinality() != b.Cardinality() {
		return false
	}
	return a.Message() == nil || a.Message().FullName() == b.Message().FullName()
}

// paramAt is the i-th param of a layer, which gets as many as that takes.
func paramAt(layer *caffepb.LayerParameter, i int) *caffepb.ParamSpec {
	for len(layer.Param) <= i {
		layer.Param = append(layer.Param, new(caffepb.ParamSpec))
	}
	return layer.Param[i]
}

// v1Params says which field of a param each of these lists of a V1 layer became.
var v1Params = map[protoreflect.Name]protoreflect.Name{
	"param": "name", "blob_share_mode": "share_mode", "blobs_lr": "lr_mult", "weight_decay": "decay_mult",
}

// v1Places gives the upgraded layer the places of the V1 layer's fields. A param is where the first
// field is that it was made from.
func v1Places(v1 *node) *node {
	if v1 == nil {
		return nil
	}
	layer := &node{name: "layer", line: v1.line, col: v1.col}
	var params []*node
	seen := map[protoreflect.Name]int{}
	for _, k := range v1.kids {
		field, ok := v1Params[k.name]
		if !ok {
			layer.kids = append(layer.kids, k)
			continue
		}
		i := seen[k.name]
		seen[k.name]++
		if i == len(params) {
			params = append(params, &node{name: "param", line: k.line, col: k.col})
		}
		params[i].put(field, k)
	}
	layer.kids = append(layer.kids, params...)
	return layer
}
