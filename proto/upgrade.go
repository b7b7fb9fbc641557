package proto

import (
	"fmt"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"google.golang.org/protobuf/proto"
)

// netPass brings one older spelling of nets up to date. apply changes Net and the places of its
// layers together, so that every layer keeps its place in the file. The texts are what Caffe logs;
// empty ones are not logged.
type netPass struct {
	needed  func(*caffepb.NetParameter) bool
	apply   func(*NetFile) error
	attempt string // before; the file's name follows
	success string // after
	trouble string // in place of success if apply has logged errors, which did not stop it
	advice  string // a warning at the end
}

// netPasses run in this order on every net that is read, as text or binary.
var netPasses = []netPass{
	{
		needed:  hasV0Layers,
		apply:   upgradeV0,
		attempt: "Attempting to upgrade input file specified using deprecated V0LayerParameter: ",
		success: "Successfully upgraded file specified using deprecated V0LayerParameter",
		trouble: "Warning: had one or more problems upgrading V0NetParameter to NetParameter (see above); continuing anyway.",
		advice: "Note that future Caffe releases will not support V0NetParameter; use ./build/tools/upgrade_net_proto_text for " +
			"prototxt and ./build/tools/upgrade_net_proto_binary for model weights upgrade this and any other net protos to the new format.",
	},
	{
		needed:  hasTransformFields,
		apply:   upgradeTransform,
		attempt: "Attempting to upgrade input file specified using deprecated transformation parameters: ",
		success: "Successfully upgraded file specified using deprecated data transformation parameters.",
		advice:  "Note that future Caffe releases will only support transform_param messages for transformation fields.",
	},
	{
		needed:  func(net *caffepb.NetParameter) bool { return len(net.Layers) > 0 },
		apply:   upgradeV1,
		attempt: "Attempting to upgrade input file specified using deprecated V1LayerParameter: ",
		success: "Successfully upgraded file specified using deprecated V1LayerParameter",
	},
	{
		needed:  func(net *caffepb.NetParameter) bool { return len(net.Input) > 0 },
		apply:   upgradeInput,
		attempt: "Attempting to upgrade input file specified using deprecated input fields: ",
		success: "Successfully upgraded file specified using deprecated input fields.",
		advice:  "Note that future Caffe releases will only support input layers and not input fields.",
	},
	{
		needed:  hasBatchNormParams,
		apply:   upgradeBatchNorm,
		attempt: "Attempting to upgrade batch norm layers using deprecated params: ",
		success: "Successfully upgraded batch norm layers using deprecated params.",
	},
}

// upgrade runs the passes that the net needs.
func (f *NetFile) upgrade() error {
	f.layers = placesOf(f.root.all("layer"), len(f.Net.Layer))
	f.v1 = placesOf(f.root.all("layers"), len(f.Net.Layers))
	for _, p := range netPasses {
		if !p.needed(f.Net) {
			continue
		}
		f.log('I', p.attempt, f.Path)
		before := len(f.Log)
		if err := p.apply(f); err != nil {
			return err
		}
		if len(f.Log) == before {
			f.log('I', p.success, "")
		} else {
			f.log('E', p.trouble, "")
		}
		f.log('W', p.advice, "")
	}
	return nil
}

// placesOf copies the places of layers; those of a binary file are nil.
func placesOf(nodes []*node, layers int) []*node {
	places := make([]*node, layers)
	for i, n := range nodes {
		places[i] = n.copyAs(n.name)
	}
	return places
}

func (f *NetFile) log(severity byte, text, suffix string) {
	if text != "" {
		f.Log = append(f.Log, LogLine{severity, text + suffix})
	}
}

func (f *NetFile) warn(at *node, format string, args ...any) {
	f.Warnings = append(f.Warnings, at.at(f.Path).String()+": "+fmt.Sprintf(format, args...))
}

// refuseMixed: a net with both spellings cannot say in which order its layers run.
func (f *NetFile) refuseMixed() error {
	if len(f.Net.Layer) == 0 {
		return nil
	}
	return f.errorAt(f.v1[0], "Refusing to upgrade inconsistent NetParameter input; the definition includes both 'layer' and "+
		"'layers' fields. The first 'layer' is at %s. Use 'layer' for all of them.", f.layers[0].at(f.Path))
}

// upgradeInput turns the input fields into an Input layer in front of the others.
func upgradeInput(f *NetFile) error {
	net := f.Net
	at := f.root.find("input")
	if len(net.InputShape) == 0 && len(net.InputDim) == 0 {
		// Weight files of old have names alone; a net to be built needs the shapes.
		if f.root != nil {
			f.warn(at, "input %q has neither input_shape nor input_dim and is dropped, as Caffe does.", net.Input[0])
		}
	} else {
		shapes, err := inputShapes(f)
		if err != nil {
			return err
		}
		layer := &caffepb.LayerParameter{
			Name:       proto.String("input"),
			Type:       proto.String("Input"),
			Top:        net.Input,
			InputParam: &caffepb.InputParameter{Shape: shapes},
		}
		net.Layer = append([]*caffepb.LayerParameter{layer}, net.Layer...)
		f.layers = append([]*node{inputNode(f.root)}, f.layers...)
	}
	net.Input, net.InputShape, net.InputDim = nil, nil, nil
	return nil
}

// inputShapes is one shape for each input.
func inputShapes(f *NetFile) ([]*caffepb.BlobShape, error) {
	net := f.Net
	if len(net.InputShape) > 0 {
		if len(net.InputShape) != len(net.Input) {
			return nil, f.errorAt(f.root.find("input_shape"), "%d input_shape for %d input: there must be one for each.",
				len(net.InputShape), len(net.Input))
		}
		return net.InputShape, nil
	}
	if len(net.InputDim) != 4*len(net.Input) {
		return nil, f.errorAt(f.root.find("input_dim"), "%d input_dim for %d input: there must be four for each.",
			len(net.InputDim), len(net.Input))
	}
	shapes := make([]*caffepb.BlobShape, len(net.Input))
	for i := range shapes {
		shapes[i] = new(caffepb.BlobShape)
		for _, d := range net.InputDim[4*i : 4*i+4] {
			shapes[i].Dim = append(shapes[i].Dim, int64(d))
		}
	}
	return shapes, nil
}

// inputNode gives the Input layer the places of the fields that it was made from.
func inputNode(root *node) *node {
	if root == nil {
		return nil
	}
	first := root.find("input")
	layer := &node{name: "layer", line: first.line, col: first.col}
	param := &node{name: "input_param", line: first.line, col: first.col}
	for _, k := range root.kids {
		switch k.name {
		case "input":
			layer.kids = append(layer.kids, &node{name: "top", line: k.line, col: k.col})
		case "input_shape":
			param.kids = append(param.kids, &node{name: "shape", line: k.line, col: k.col, kids: k.kids})
		}
	}
	for i, k := range root.all("input_dim") {
		if i%4 == 0 {
			param.kids = append(param.kids, &node{name: "shape", line: k.line, col: k.col})
		}
		shape := param.kids[len(param.kids)-1]
		shape.kids = append(shape.kids, &node{name: "dim", line: k.line, col: k.col})
	}
	layer.kids = append(layer.kids, param)
	return layer
}

// A BatchNorm of the first days declared its three blobs as parameters, which training must leave
// alone.
func oldBatchNorm(layer *caffepb.LayerParameter) bool {
	return layer.GetType() == "BatchNorm" && len(layer.Param) == 3
}

func hasBatchNormParams(net *caffepb.NetParameter) bool {
	for _, layer := range net.Layer {
		if oldBatchNorm(layer) {
			return true
		}
	}
	return false
}

func upgradeBatchNorm(f *NetFile) error {
	for _, layer := range f.Net.Layer {
		if !oldBatchNorm(layer) {
			continue
		}
		for _, spec := range layer.Param {
			spec.LrMult, spec.DecayMult = proto.Float32(0), proto.Float32(0)
		}
	}
	return nil
}
