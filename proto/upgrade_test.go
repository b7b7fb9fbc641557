package proto

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func logText(lines []LogLine) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(string(l.Severity) + " " + l.Text + "\n")
	}
	return b.String()
}

const inputLog = "I Attempting to upgrade input file specified using deprecated input fields: n.prototxt\n" +
	"I Successfully upgraded file specified using deprecated input fields.\n" +
	"W Note that future Caffe releases will only support input layers and not input fields.\n"

func TestUpgradeInputDim(t *testing.T) {
	text := "name: \"n\"\nlayer {\n  name: \"c\"\n}\ninput: \"data\"\ninput: \"im\"\n" +
		"input_dim: 1 input_dim: 3 input_dim: 4 input_dim: 5\n input_dim: 6 input_dim: 7 input_dim: 8 input_dim: 9\n"
	f, err := ParseNet("n.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := "name: \"n\"\nlayer {\n  name: \"input\"\n  type: \"Input\"\n  top: \"data\"\n  top: \"im\"\n  input_param {\n" +
		"    shape {\n      dim: 1\n      dim: 3\n      dim: 4\n      dim: 5\n    }\n" +
		"    shape {\n      dim: 6\n      dim: 7\n      dim: 8\n      dim: 9\n    }\n  }\n}\nlayer {\n  name: \"c\"\n}\n"
	if got := Text(f.Net); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	for path, want := range map[string]string{
		"":                            "n.prototxt:5:1",
		"top[1]":                      "n.prototxt:6:1",
		"input_param.shape[1]":        "n.prototxt:8:2",
		"input_param.shape[0].dim[2]": "n.prototxt:7:27",
		"name":                        "n.prototxt:5:1",
	} {
		if got := f.FieldPos(0, path).LineCol(); got != want {
			t.Errorf("FieldPos(0, %q) = %s, want %s", path, got, want)
		}
	}
	if got := f.LayerPos(1).LineCol(); got != "n.prototxt:2:1" {
		t.Errorf("LayerPos(1) = %s", got)
	}
	if got := logText(f.Log); got != inputLog {
		t.Errorf("log:\n%s", got)
	}
}

func TestUpgradeInputShape(t *testing.T) {
	f, err := ParseNet("n.prototxt", []byte("input: 'data'\ninput_shape { dim: 2\n dim: 3 }"))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Net.Layer[0].InputParam.Shape[0].Dim; len(got) != 2 || got[1] != 3 {
		t.Errorf("shape %v", got)
	}
	if got := f.FieldPos(0, "input_param.shape[0].dim[1]").LineCol(); got != "n.prototxt:3:2" {
		t.Errorf("the second dim is at %s", got)
	}
	if f.Net.Input != nil || f.Net.InputShape != nil {
		t.Error("the input fields are still there")
	}
}

func TestInputWithoutShape(t *testing.T) {
	f, err := ParseNet("n.prototxt", []byte("\ninput: 'data' layer { name: 'a' }"))
	if err != nil {
		t.Fatal(err)
	}
	want := `n.prototxt:2: input "data" has neither input_shape nor input_dim and is dropped, as Caffe does.`
	if len(f.Net.Layer) != 1 || f.Net.Input != nil || strings.Join(f.Warnings, "\n") != want {
		t.Errorf("%v\n%v", f.Net, f.Warnings)
	}
}

const (
	mixed   = "Refusing to upgrade inconsistent NetParameter input; the definition includes both 'layer' and 'layers' fields."
	padding = "input: 'x'\ninput_dim: [1, 1, 1, 1]\nlayers { layer { name: 'pad' type: 'padding' pad: 1 } bottom: 'x' top: 'p' }\n"
)

func TestUpgradeErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"shapes", "input: 'a'\ninput: 'b'\n input_shape {}", "n.prototxt:3:2: 1 input_shape for 2 input: there must be one for each."},
		{"dims", "input: 'a'\ninput_dim: 1", "n.prototxt:2:1: 1 input_dim for 1 input: there must be four for each."},
		{"mixed", "layer {}\nlayers {}", "n.prototxt:2:1: " + mixed + " The first 'layer' is at n.prototxt:1."},
		{"mixed V0", "\n layer {}\n  layers { layer {} }", "n.prototxt:3:3: " + mixed + " The first 'layer' is at n.prototxt:2."},
		{"V0 and V1", "layers { layer {} }\nlayers { name: 'a' }", "n.prototxt:2:1: V1 layer \"a\" among V0 layers"},
		{"V0 type", "layers { layer { name: 'a'\n type: 'conf' } }", "n.prototxt:2:2: Unknown layer name: conf (V0 layer \"a\"): did you mean conv?"},
		{"V0 bottom", "layers { layer { name: 'a' type: 'conv' }\n bottom: 'x' }",
			"n.prototxt:2:2: Unknown blob input x to layer a: no layer before it has this top."},
		{"padding into relu", padding + "layers { layer { type: 'relu' } bottom: 'p' }",
			"n.prototxt:4:1: Padding layer input to non-convolutional / non-pooling layer type relu: padding layer \"pad\" can only feed conv and pool."},
		{"padding into two bottoms", padding + "layers { layer { name: 'c' type: 'conv' } bottom: 'p' bottom: 'p' }",
			"n.prototxt:4:1: Conv Layer takes a single blob as input: layer \"c\" has 2."},
		{"padding without bottom", "layers { layer { name: 'p' type: 'padding' } top: 'p' }\nlayers { layer { type: 'conv' } bottom: 'p' }",
			"n.prototxt:1:1: Padding Layer takes a single blob as input: layer \"p\" has 0."},
		{"padding with two tops", "input: 'x'\n\tlayers { layer { name: 'p' type: 'padding' } bottom: 'x' top: 'p' top: 'q' } layers { layer { type: 'pool' } bottom: 'q' }",
			"n.prototxt:2:2: Padding Layer produces a single blob as output: layer \"p\" has 2."},
	}
	for _, tt := range tests {
		_, err := ParseNet("n.prototxt", []byte(tt.text))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || !strings.HasSuffix(err.Error(), "\nFailed to parse NetParameter file: n.prototxt") {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestUpgradeBatchNorm(t *testing.T) {
	f, err := ParseNet("n.prototxt", []byte("layer { type: 'BatchNorm' param {} param { lr_mult: 3 } param { name: 'p' } } layer { type: 'BatchNorm' param {} }"))
	if err != nil {
		t.Fatal(err)
	}
	for i, spec := range f.Net.Layer[0].Param {
		if spec.LrMult == nil || spec.GetLrMult() != 0 || spec.DecayMult == nil || spec.GetDecayMult() != 0 {
			t.Errorf("param %d: %v", i, spec)
		}
	}
	if f.Net.Layer[0].Param[2].GetName() != "p" || f.Net.Layer[1].Param[0].LrMult != nil {
		t.Errorf("more was changed: %v", f.Net)
	}
	want := "I Attempting to upgrade batch norm layers using deprecated params: n.prototxt\n" +
		"I Successfully upgraded batch norm layers using deprecated params.\n"
	if got := logText(f.Log); got != want {
		t.Errorf("log:\n%s", got)
	}
}

func TestSolverType(t *testing.T) {
	for enum, want := range map[string]string{"SGD": "SGD", "NESTEROV": "Nesterov", "ADAGRAD": "AdaGrad", "RMSPROP": "RMSProp", "ADADELTA": "AdaDelta", "ADAM": "Adam"} {
		f, err := ParseSolver("s.prototxt", []byte("base_lr: 1\nsolver_type: "+enum))
		if err != nil {
			t.Fatal(err)
		}
		if f.Solver.GetType() != want || f.Solver.SolverType != nil || len(f.Log) != 3 {
			t.Errorf("%s: %v %v", enum, f.Solver, f.Log)
		}
	}
	_, err := ParseSolver("s.prototxt", []byte("type: 'Adam'\nsolver_type: ADAM"))
	want := "s.prototxt:2:1: Failed to upgrade solver: old solver_type field (enum) and new type field (string) " +
		"cannot be both specified in solver proto text. type is in line 1; remove solver_type.\nFailed to parse SolverParameter file: s.prototxt"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestSolverFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f, err := ReadSolver(write("a.solver.prototxt", "base_lr: 1\n  test_iter: 1\n  test_iter: 2"))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.FieldPos("test_iter[1]").LineCol(); got != f.Path+":3:3" {
		t.Errorf("test_iter[1] is at %s", got)
	}
	if got := f.FieldPos("net").String(); got != f.Path {
		t.Errorf("a missing field is at %s", got)
	}
	if got := f.Solver.GetSnapshotPrefix(); got != filepath.Join(dir, "a.solver") {
		t.Errorf("snapshot_prefix %q", got)
	}
	f, err = ReadSolver(write("b.prototxt", "snapshot_prefix: '"+dir+"/'"))
	if err != nil || f.Solver.GetSnapshotPrefix() != dir+"/b" || len(f.Log) != 1 {
		t.Errorf("%v, %v: a directory gets the file's name", f, err)
	}
	if _, err := ReadSolver(dir + "/none"); err == nil || !strings.HasPrefix(err.Error(), "File not found: "+dir+"/none") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := ReadNet(dir); err == nil || !strings.HasPrefix(err.Error(), "cannot read: ") {
		t.Errorf("directory: %v", err)
	}
}

func TestInlineNets(t *testing.T) {
	text := "net_param {\n input: 'x' input_dim: [1,2,3,4] }\ntest_net_param { name: 'a' }\ntest_net_param { layer {\n name: 'b' } }\n"
	f, err := ParseSolver("s.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	net, err := f.InlineNet("net_param")
	if err != nil || net.Net.Layer[0].GetType() != "Input" || net.LayerPos(0).String() != "s.prototxt:2" {
		t.Errorf("net_param: %v, %v", net, err)
	}
	net, err = f.InlineNet("test_net_param[1]")
	if err != nil || net.FieldPos(0, "name").LineCol() != "s.prototxt:5:2" {
		t.Errorf("test_net_param[1]: %v, %v", net, err)
	}
	for _, path := range []string{"train_net_param", "test_net_param[2]"} {
		if net, err := f.InlineNet(path); net != nil || err != nil {
			t.Errorf("%s: %v, %v", path, net, err)
		}
	}
	for _, path := range []string{"net", "net_param[0]", "test_net_param", "x"} {
		if _, err := f.InlineNet(path); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

func TestUpgradeBinary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.caffemodel")
	write := func(net *caffepb.NetParameter) {
		data, err := proto.Marshal(net)
		if err == nil {
			err = os.WriteFile(path, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(&caffepb.NetParameter{Input: []string{"x"}, Layer: []*caffepb.LayerParameter{{Name: proto.String("a")}}})
	f, err := ReadNetBinary(path)
	if err != nil || f.Net.Input != nil || len(f.Net.Layer) != 1 || len(f.Warnings) != 0 || f.LayerPos(0).String() != path {
		t.Errorf("names alone: %v, %v", f, err)
	}
	write(&caffepb.NetParameter{Input: []string{"x"}, InputDim: []int32{1, 2, 3, 4}, Layer: []*caffepb.LayerParameter{{Name: proto.String("a")}}})
	f, err = ReadNetBinary(path)
	if err != nil || len(f.Net.Layer) != 2 || f.LayerPos(1).String() != path {
		t.Errorf("with dims: %v, %v", f, err)
	}
}
