package proto

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// TestTextSyntax reads every way of writing that protobuf's text format has; the right-hand side is
// the same message as protobuf prints it.
func TestTextSyntax(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"comment", "# a net\nname: \"n\" # its name\n# end", "name: \"n\"\n"},
		{"byte order mark and CRLF", "\xef\xbb\xbfname: 'n'\r\nforce_backward: true\r\n", "name: \"n\"\nforce_backward: true\n"},
		{"angle brackets", `state < level: 3 >`, "state {\n  level: 3\n}\n"},
		{"colon before a message", `state: { level: 3 }`, "state {\n  level: 3\n}\n"},
		{"separators", `name: "n"; input: "a", input: "b"; state { level: 1, } ,`, "name: \"n\"\ninput: \"a\"\ninput: \"b\"\nstate {\n  level: 1\n}\n"},
		{"lists", `input: ["a", 'b'] input_dim: [1,2] input_dim: [] input_dim: 3`, "input: \"a\"\ninput: \"b\"\ninput_dim: 1\ninput_dim: 2\ninput_dim: 3\n"},
		{"list of messages", `input_shape [{dim: 1}, <dim: [2, 3]>]`, "input_shape {\n  dim: 1\n}\ninput_shape {\n  dim: 2\n  dim: 3\n}\n"},
		{"joined strings", "name: \"a\" 'b'\n  \"c\"", "name: \"abc\"\n"},
		{"escapes", `name: "\a\b\f\n\r\t\v\\\?\'\"\101\x41\u00e9\U0001F600\q"`,
			"name: \"\\007\\010\\014\\n\\r\\t\\013\\\\?\\'\\\"AA\\303\\251\\360\\237\\230\\200\\\\q\"\n"},
		{"hexadecimal and octal", `input_dim: 0x1F input_dim: 010 input_dim: -0x2 input_dim: -7 input_dim: 0`,
			"input_dim: 31\ninput_dim: 8\ninput_dim: -2\ninput_dim: -7\ninput_dim: 0\n"},
		{"booleans", `layer { propagate_down: [true, True, t, 1, false, False, f, 0, 0x1] }`,
			"layer {\n  propagate_down: true\n  propagate_down: true\n  propagate_down: true\n  propagate_down: true\n" +
				"  propagate_down: false\n  propagate_down: false\n  propagate_down: false\n  propagate_down: false\n  propagate_down: true\n}\n"},
		{"floats", `layer { loss_weight: [1, -2, .5, 1.5f, 2F, 1e3, 1E-3, 3., inf, -Infinity, NaN, 1e99] }`,
			"layer {\n  loss_weight: 1\n  loss_weight: -2\n  loss_weight: 0.5\n  loss_weight: 1.5\n  loss_weight: 2\n  loss_weight: 1000\n" +
				"  loss_weight: 0.001\n  loss_weight: 3\n  loss_weight: inf\n  loss_weight: -inf\n  loss_weight: nan\n  loss_weight: inf\n}\n"},
		{"enums by name and number", `state { phase: TRAIN } layer { phase: 1 }`, "state {\n  phase: TRAIN\n}\nlayer {\n  phase: TEST\n}\n"},
		{"nothing", "  # nothing\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			net := new(caffepb.NetParameter)
			if err := UnmarshalText("t.prototxt", []byte(tt.text), net); err != nil {
				t.Fatal(err)
			}
			if got := Text(net); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

// TestTextErrors pins the first line of each error; Caffe's words are part of them.
func TestTextErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"misspelt field", "layer {\n  inner_product_param { num_outputs: 3 }\n}",
			`t.prototxt:2:25: Message type "caffe.InnerProductParameter" has no field named "num_outputs". did you mean num_output?`},
		{"swapped letters", "nmae: \"x\"", `t.prototxt:1:1: Message type "caffe.NetParameter" has no field named "nmae". did you mean name?`},
		{"no such field", "zzzzzz: 1", `t.prototxt:1:1: Message type "caffe.NetParameter" has no field named "zzzzzz".`},
		{"field of an inner message", "layer { kernel_h: 3 }",
			`t.prototxt:1:9: Message type "caffe.LayerParameter" has no field named "kernel_h". It belongs inside convolution_param, pooling_param.`},
		{"bracket forgotten", "layer {\n  relu_param { negative_slope: 1\n  top: \"a\"\n}",
			`t.prototxt:3:3: Message type "caffe.ReLUParameter" has no field named "top". caffe.LayerParameter has one: is a closing bracket missing before it?`},
		{"solver as net", "base_lr: 1", `t.prototxt:1:1: Message type "caffe.NetParameter" has no field named "base_lr". caffe.SolverParameter has one: is this file given in the wrong place?`},
		{"fork's layer", "layer { spatial_dropout_param { dropout_ratio: 0.5 } }",
			`t.prototxt:1:9: Message type "caffe.LayerParameter" has no field named "spatial_dropout_param". It belongs to Intel Caffe and is not supported: it holds what a layer of that fork computes.`},
		{"fork's field with an effect", "layer { data_param { shuffle: true } }",
			`t.prototxt:1:22: Message type "caffe.DataParameter" has no field named "shuffle". It belongs to NVCaffe, Intel Caffe and is not supported: it changes which records the net sees, and when. Make the database with convert_imageset -shuffle instead.`},
		{"nobody's layer", "layer { frobnicate_param { x: 1 } }",
			`t.prototxt:1:9: Message type "caffe.LayerParameter" has no field named "frobnicate_param". No layer of BVLC Caffe has such options.`},
		{"given twice", "name: \"a\"\nname: \"b\"", `t.prototxt:2:1: Non-repeated field "name" is specified multiple times. The first is in line 1.`},
		{"message given twice", "state {}\nstate { level: 1 }", `t.prototxt:2:1: Non-repeated field "state" is specified multiple times. The first is in line 1.`},
		{"string without quotes", "name: lenet", `t.prototxt:1:7: name: Expected string, got: lenet (write it in quotes)`},
		{"string missing", "name: }", `t.prototxt:1:7: name: Expected string, got: }`},
		{"string for number", `input_dim: "3"`, `t.prototxt:1:12: input_dim: Expected integer, got: "3"`},
		{"float for integer", `input_dim: 3.5`, `t.prototxt:1:12: input_dim: Expected integer, got: 3.5`},
		{"too large", `input_dim: 2147483648`, `t.prototxt:1:12: input_dim: Integer out of range (2147483648)`},
		{"too small", `input_dim: -2147483649`, `t.prototxt:1:13: input_dim: Integer out of range (-2147483649)`},
		{"beyond 64 bits", `input_dim: 99999999999999999999`, `t.prototxt:1:12: input_dim: Integer out of range (99999999999999999999)`},
		{"not octal", `input_dim: 089`, `t.prototxt:1:12: input_dim: Integer out of range (089)`},
		{"negative unsigned", `layer { pooling_param { pad: -1 } }`, `t.prototxt:1:31: pad: Expected integer, got: - (it cannot be negative)`},
		{"unsigned too large", `layer { pooling_param { pad: 4294967296 } }`, `t.prototxt:1:30: pad: Integer out of range (4294967296)`},
		{"word for float", `layer { loss_weight: one }`, `t.prototxt:1:22: loss_weight: Expected double, got: one`},
		{"hexadecimal float", `layer { loss_weight: 0x1 }`, `t.prototxt:1:22: loss_weight: Expect a decimal number, got: 0x1`},
		{"string for float", `layer { loss_weight: "1" }`, `t.prototxt:1:22: loss_weight: Expected double, got: "1"`},
		{"boolean word", `force_backward: yes`, `t.prototxt:1:17: Invalid value for boolean field "force_backward". Value: "yes".`},
		{"boolean number", `force_backward: 2`, `t.prototxt:1:17: force_backward: Integer out of range (2): a boolean is true or false.`},
		{"unknown enum name", `state { phase: TRIAN }`, `t.prototxt:1:16: Unknown enumeration value of "TRIAN" for field "phase". did you mean TRAIN?`},
		{"far enum name", `layer { pooling_param { pool: MEDIAN } }`, `t.prototxt:1:31: Unknown enumeration value of "MEDIAN" for field "pool". Known: MAX, AVE, STOCHASTIC.`},
		{"unknown enum number", `state { phase: 7 }`, `t.prototxt:1:16: Unknown enumeration value of "7" for field "phase". Known: TRAIN, TEST.`},
		{"enum string", `state { phase: "TEST" }`, `t.prototxt:1:16: phase: Expected integer or identifier, got: "TEST"`},
		{"colon missing", `name "x"`, `t.prototxt:1:6: Expected ":", got: "x"`},
		{"brace missing", `layer name: "x"`, `t.prototxt:1:7: Expected "{", got: name. layer is a message: layer { ... }`},
		{"scalar for message", `layer: 3`, `t.prototxt:1:8: Expected "{", got: 3. layer is a message: layer { ... }`},
		{"not closed", "layer {\n  name: \"x\"", `t.prototxt:2:12: Expected "}", got the end of the file: caffe.LayerParameter that starts in line 1 is not closed.`},
		{"closed twice", "layer { } }", `t.prototxt:1:11: Expected identifier, got: }. Is a bracket closed twice?`},
		{"closed by the other bracket", "layer { >", `t.prototxt:1:9: Expected identifier, got: >. Is a bracket closed twice?`},
		{"number as name", "3: 4", `t.prototxt:1:1: Expected identifier, got: 3`},
		{"extension", "[ext]: 4", `t.prototxt:1:1: Expected identifier, got: [. Caffe's messages have no extensions.`},
		{"list not closed", `input_dim: [1 2]`, `t.prototxt:1:15: Expected "," or "]", got: 2`},
		{"string not closed", "name: \"x\n", `t.prototxt:1:7: String literals cannot cross line boundaries.`},
		{"string ends the file", `name: "x`, `t.prototxt:1:7: Unexpected end of string.`},
		{"hexadecimal without digits", `input_dim: 0x`, `t.prototxt:1:12: "0x" must be followed by hex digits.`},
		{"exponent without digits", `layer { loss_weight: 1e }`, `t.prototxt:1:22: "e" must be followed by exponent.`},
		{"number runs into name", `input_dim: 3name: "x"`, `t.prototxt:1:12: Need space between number and identifier.`},
		{"two points", `layer { loss_weight: 1.2.3 }`, `t.prototxt:1:22: Already saw decimal point or exponent; can't have another one.`},
		{"binary file", "\x0a\x05lenet\x00\x01", `t.prototxt:2:1: Invalid character 0x05 in text. The file looks binary, not like a prototxt.`},
		{"required field", "layer {\n  clip_param { min: 0 }\n}", `t.prototxt:2:3: Message missing required fields: max of "caffe.ClipParameter".`},
		{"unknown field without value", "foo bar", `t.prototxt:1:5: Expected ":" or "{", got: bar`},
		{"unknown field not closed", "foo { a: [1, {b: -2}] c: 'x'", `t.prototxt:1:29: Expected "}", got the end of the file: what starts in line 1 is not closed.`},
		{"unknown list not closed", "foo: [1 2]", `t.prototxt:1:9: Expected "," or "]", got: 2`},
		{"unknown field with a number inside", "foo { 1: 2 }", `t.prototxt:1:7: Expected identifier, got: 1`},
		{"unknown fields too deep", strings.Repeat("a{", 200), `t.prototxt:1:204: Message is too deep: more than 100 levels of unknown fields.`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseNet("t.prototxt", []byte(tt.text))
			if err == nil {
				t.Fatal("no error")
			}
			lines := strings.Split(err.Error(), "\n")
			found := false
			for _, line := range lines {
				found = found || line == tt.want
			}
			if !found {
				t.Errorf("got:\n%v\nwant a line:\n%s", err, tt.want)
			}
			if last := lines[len(lines)-1]; last != "Failed to parse NetParameter file: t.prototxt" {
				t.Errorf("last line is %q", last)
			}
		})
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	text := "nmae: \"x\"\nlayer {\n  convolution_param { num_outputs: 3 kernelsize: 4 foo { bar: [1, 2] } }\n  type: 3\n}\nlayer { naem: 'b' }\n"
	_, err := ParseNet("n.prototxt", []byte(text))
	var perr *ParseError
	if !errors.As(err, &perr) {
		t.Fatalf("%T is not a *ParseError", err)
	}
	var places []string
	for _, e := range perr.Errors {
		places = append(places, e.Pos.LineCol())
	}
	want := "n.prototxt:1:1 n.prototxt:3:23 n.prototxt:3:38 n.prototxt:3:52 n.prototxt:4:9 n.prototxt:6:9"
	if got := strings.Join(places, " "); got != want {
		t.Errorf("errors at %s, want %s", got, want)
	}
	var first *Error
	if !errors.As(err, &first) || first.Pos.Line != 1 {
		t.Errorf("errors.As gives %v, want the error in line 1", first)
	}
	text = ""
	for i := range 30 {
		text += "x" + strconv.Itoa(i) + ": 1\n"
	}
	_, err = ParseNet("n.prototxt", []byte(text))
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 22 || lines[20] != "n.prototxt: and 10 more" {
		t.Errorf("30 errors print as %d lines", len(lines))
	}
}

// TestRepeatedError: a field of a fork that stands in every layer does not hide another one.
func TestRepeatedError(t *testing.T) {
	_, err := ParseNet("n", []byte(strings.Repeat("layer { batch_norm_param { bias_term: true } }\n", 40)+"layer { data_param { shuffle: true } }"))
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "n:1:28: ") || !strings.HasSuffix(lines[0], " Also in lines 2, 3, 4 and 36 more.") ||
		!strings.HasPrefix(lines[1], "n:41:22: ") || strings.Contains(lines[1], "Also") {
		t.Errorf("got\n%v", err)
	}
}

// TestForkFieldsWithoutEffect: one warning names them all.
func TestForkFieldsWithoutEffect(t *testing.T) {
	text := "default_forward_type: FLOAT16\nlayer {\n  data_param { cache: true threads: 4 shuffle: false }\n" +
		"  batch_norm_param { stats_batch_size: 0 }\n  dropout_param { random_seed: -1.0 }\n}\n" +
		strings.Repeat("layer { data_param { cache: false } }\n", 3) + "layer { data_param { threads: 2 } }"
	f, err := ParseNet("n.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := "n.prototxt:1: accepted without effect: " +
		"NetParameter.default_forward_type of NVCaffe (line 1): how it is computed, not what; " +
		"DataParameter.cache of NVCaffe (lines 3, 7, 8 and 1 more): how data is read, not what; " +
		"DataParameter.threads of NVCaffe (lines 3, 10): how data is read, not what; " +
		"DataParameter.shuffle of NVCaffe, Intel Caffe (line 3): false is its default; " +
		"BatchNormParameter.stats_batch_size of Intel Caffe (line 4): 0 is its default; " +
		"DropoutParameter.random_seed of NVCaffe (line 5): -1.0 is its default."
	if got := strings.Join(f.Warnings, "\n"); got != want {
		t.Errorf("got:\n%s", got)
	}
}

// TestForkFieldsRefused: all of a file at once, fields and values of enums, each with what it would
// change and what to write instead where that is known.
func TestForkFieldsRefused(t *testing.T) {
	text := "layer {\n  data_param { shuffle: true cache: true }\n  loss_param { normalization: VALID\n label_smoothing: 0.5 }\n}\nlayers { type: BN }\nbn_stats_batch_size: 4"
	_, err := ParseNet("n", []byte(text))
	want := `n:2:16: Message type "caffe.DataParameter" has no field named "shuffle". It belongs to NVCaffe, Intel Caffe and is not supported: ` +
		"it changes which records the net sees, and when. Make the database with convert_imageset -shuffle instead.\n" +
		`n:4:2: Message type "caffe.LossParameter" has no field named "label_smoothing". It belongs to NVCaffe, Intel Caffe and is not supported: ` +
		"it changes the loss and its gradients.\n" +
		`n:6:16: Unknown enumeration value of "BN" for field "type". It belongs to caffe-windows and is not supported: it holds what a layer of that fork computes.` + "\n" +
		`n:7:1: Message type "caffe.NetParameter" has no field named "bn_stats_batch_size". It belongs to Intel Caffe and is not supported: it changes what the net computes.` + "\n" +
		"Failed to parse NetParameter file: n"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// TestForkTable checks the table against the schema: each row names a message that we have and a
// field that we do not have.
func TestForkTable(t *testing.T) {
	if rows := strings.Count(forkTable, "\n") - 2; rows != len(forkFields) {
		t.Errorf("%d of %d rows are readable", len(forkFields), rows)
	}
	for key := range forkFields {
		md := caffepb.File_caffe_proto.Messages().ByName(protoreflect.Name(key.message))
		if md == nil || md.Fields().ByName(protoreflect.Name(key.field)) != nil {
			t.Errorf("%s.%s does not belong in forkfields.tsv", key.message, key.field)
			continue
		}
		if name, value, isValue := strings.Cut(key.field, "="); isValue {
			fd := md.Fields().ByName(protoreflect.Name(name))
			if fd == nil || fd.Enum() == nil || fd.Enum().Values().ByName(protoreflect.Name(value)) != nil {
				t.Errorf("%s.%s does not belong in forkfields.tsv", key.message, key.field)
			}
		}
	}
}

func TestPositions(t *testing.T) {
	text := `name: "n"
layer {
  name: "conv1" type: "Convolution"
  param { lr_mult: 1 }
  param {
    lr_mult: 2
  }
  convolution_param {
    num_output: 8
    kernel_size: [3,
      5]
  }
}
  layer { name: "relu" }
`
	f, err := ParseNet("n.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		layer      int
		path, want string
	}{
		{0, "", "n.prototxt:2:1"},
		{1, "", "n.prototxt:14:3"},
		{0, "type", "n.prototxt:3:17"},
		{0, "param[1].lr_mult", "n.prototxt:6:5"},
		{0, "param[1].decay_mult", "n.prototxt:5:3"},
		{0, "convolution_param.num_output", "n.prototxt:9:5"},
		{0, "convolution_param.kernel_size[1]", "n.prototxt:11:7"},
		{0, "convolution_param.stride", "n.prototxt:8:3"},
		{0, "pooling_param.stride", "n.prototxt:2:1"},
		{1, "param[7]", "n.prototxt:14:3"},
		{2, "", "n.prototxt"},
		{-1, "", "n.prototxt"},
	}
	for _, tt := range tests {
		if got := f.FieldPos(tt.layer, tt.path).LineCol(); got != tt.want {
			t.Errorf("FieldPos(%d, %q) = %s, want %s", tt.layer, tt.path, got, tt.want)
		}
	}
	if got := f.LayerPos(1).String(); got != "n.prototxt:14" {
		t.Errorf("LayerPos(1) = %s", got)
	}
	if got := f.NetPos("name").LineCol(); got != "n.prototxt:1:1" {
		t.Errorf("NetPos(name) = %s", got)
	}
}

// TestFloatRounding: protobuf reads a float by way of a double.
func TestFloatRounding(t *testing.T) {
	spec := new(caffepb.ParamSpec)
	// Half a unit above 1, and a bit that a double cannot hold: directly it rounds up, twice to even.
	if err := UnmarshalText("t", []byte("lr_mult: 1.000000059604644775390626"), spec); err != nil {
		t.Fatal(err)
	}
	if spec.GetLrMult() != 1 {
		t.Errorf("got %v, want 1 as the C++ library reads it", spec.GetLrMult())
	}
	if err := UnmarshalText("t", []byte("lr_mult: 3.4028235e38"), spec); err != nil || spec.GetLrMult() != math.MaxFloat32 {
		t.Errorf("got %v, %v, want the largest float", spec.GetLrMult(), err)
	}
}

func TestUnmarshalTextResets(t *testing.T) {
	net := &caffepb.NetParameter{Name: proto.String("old"), ForceBackward: proto.Bool(true)}
	if err := UnmarshalText("t", []byte(`name: "new"`), net); err != nil {
		t.Fatal(err)
	}
	if got := Text(net); got != "name: \"new\"\n" {
		t.Errorf("got %q", got)
	}
}
