package proto

import (
	"fmt"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"google.golang.org/protobuf/proto"
)

// netPass brings one older spelling of nets up to date. apply changes Net and layers together, so
// that every layer keeps its place in the file. The texts are what Caffe logs; empty ones are not
// logged.
type netPass struct {
	needed  func(*caffepb.NetParameter) bool
	apply   func(*NetFile) error
	attempt string // before; the file's name follows
	success string // after
	advice  string // a warning at the end
}

// netPasses run in this order on every net that is read, as text or binary.
var netPasses = []netPass{
	{needed: hasLegacyLayers, apply: refuseLegacyLayers},
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
	f.layers = f.root.all("layer")
	if f.root == nil {
		f.layers = make([]*node, len(f.Net.Layer))
	}
	for _, p := range netPasses {
		if !p.needed(f.Net) {
			continue
		}
		f.log('I', p.attempt, f.Path)
		if err := p.apply(f); err != nil {
			return err
		}
		f.log('I', p.success, "")
		f.log('W', p.advice, "")
	}
	return nil
}

func (f *NetFile) log(severity byte, text, suffix string) {
	if text != "" {
		f.Log = append(f.Log, LogLine{severity, text + suffix})
	}
}

func hasLegacyLayers(net *caffepb.NetParameter) bool { return len(net.Layers) > 0 }

func refuseLegacyLayers(f *NetFile) error {
	at := f.root.find("layers")
	if len(f.Net.Layer) > 0 {
		return f.errorAt(at, "Refusing to upgrade inconsistent NetParameter input; "+
			"the definition includes both 'layer' and 'layers' fields. Use 'layer' for all of them.")
	}
	if f.Net.Layers[0].Layer != nil {
		return f.errorAt(at, "V0 'layers { layer { ... } }': not supported yet; use Caffe's upgrade tools to write it as 'layer'.")
	}
	return f.errorAt(at, "V1 'layers { ... }': not supported yet; use Caffe's upgrade tools to write it as 'layer'.")
}

// upgradeInput turns the input fields into an Input layer in front of the others.
func upgradeInput(f *NetFile) error {
	net := f.Net
	at := f.root.find("input")
	if len(net.InputShape) == 0 && len(net.InputDim) == 0 {
		// Weight files of old have names alone; a net to be built needs the shapes.
		if f.root != nil {
			f.Warnings = append(f.Warnings, fmt.Sprintf(
				"%s: input %q has neither input_shape nor input_dim and is dropped, as Caffe does.", at.at(f.Path), net.Input[0]))
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

var solverTypes = map[caffepb.SolverParameter_SolverType]string{
	caffepb.SolverParameter_SGD:      "SGD",
	caffepb.SolverParameter_NESTEROV: "Nesterov",
	caffepb.SolverParameter_ADAGRAD:  "AdaGrad",
	caffepb.SolverParameter_RMSPROP:  "RMSProp",
	caffepb.SolverParameter_ADADELTA: "AdaDelta",
	caffepb.SolverParameter_ADAM:     "Adam",
}

// upgrade turns the enum solver_type into the string type.
func (f *SolverFile) upgrade() error {
	s := f.Solver
	if s.SolverType == nil {
		return nil
	}
	if s.Type != nil {
		return parseErrorAt(f.Path, "SolverParameter", f.root.find("solver_type"),
			"Failed to upgrade solver: old solver_type field (enum) and new type field (string) "+
				"cannot be both specified in solver proto text. type is in line %d; remove solver_type.", f.root.find("type").line)
	}
	f.Log = append(f.Log,
		LogLine{'I', "Attempting to upgrade input file specified using deprecated 'solver_type' field (enum)': " + f.Path},
		LogLine{'I', "Successfully upgraded file specified using deprecated 'solver_type' field (enum) to 'type' field (string)."},
		LogLine{'W', "Note that future Caffe releases will only support 'type' field (string) for a solver's type."})
	s.Type = proto.String(solverTypes[s.GetSolverType()])
	s.SolverType = nil
	return nil
}
