package proto

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// legacyCases are nets in the old spellings, with what real Caffe's upgrade_net_proto_text made of
// them and logged.
var legacyCases = []string{"v0", "v1"}

// place is what we append to Caffe's log lines about single options.
var place = regexp.MustCompile(`(?m) \(v0\.prototxt:\d+\)$`)

func TestUpgradeLegacy(t *testing.T) {
	for _, name := range legacyCases {
		base := filepath.Join("testdata/upgrade", name)
		f, err := ParseNet(name+".prototxt", mustRead(t, base+".prototxt"))
		if err != nil {
			t.Error(err)
			continue
		}
		if got, want := Text(f.Net), string(mustRead(t, base+".upgraded.prototxt")); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		// Caffe calls the V0 field shuffle_images by its new name.
		got := strings.Replace(place.ReplaceAllString(logText(f.Log), ""), " shuffle_images ", " shuffle ", 1)
		if want := string(mustRead(t, base+".log")); got != want {
			t.Errorf("%s: log\n%s\nwant\n%s", name, got, want)
		}
	}
}

// TestUpgradeLegacyBinary reads the same nets from the wire, where Caffe's models of those years are.
func TestUpgradeLegacyBinary(t *testing.T) {
	for _, name := range legacyCases {
		base := filepath.Join("testdata/upgrade", name)
		net := new(caffepb.NetParameter)
		if err := UnmarshalText(name, mustRead(t, base+".prototxt"), net); err != nil {
			t.Fatal(err)
		}
		data, err := proto.Marshal(net)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name+".caffemodel")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := ReadNetBinary(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if got, want := Text(f.Net), string(mustRead(t, base+".upgraded.prototxt")); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		if got := f.FieldPos(3, "bottom").LineCol(); got != path {
			t.Errorf("%s: a place in a binary file: %s", name, got)
		}
	}
}

// TestUpgradePlaces: a field is where the file has it, by whatever name, and what an upgrade made up
// is where it was made from.
func TestUpgradePlaces(t *testing.T) {
	text := "layers { layer { name: 'd' type: 'data' scale: 2\n source: 'db' } top: 'd' }\n" + // 1
		"layers { bottom: 'd' top: 'p' layer { type: 'padding'\n pad: 3 } }\n" + // 3
		"layers {\n top: 'c' bottom: 'p' layer { blobs_lr: 1 type: 'conv'\n\n blobs_lr: 2 weight_decay: 0\n num_output: 4 blobs {\n num: 1 } } }\n" // 5
	f, err := ParseNet("n", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Net.Layer) != 2 {
		t.Fatalf("%d layers", len(f.Net.Layer))
	}
	for _, tt := range []struct {
		layer       int
		field, want string
	}{
		{0, "", "n:1:1"}, {0, "name", "n:1:18"}, {0, "transform_param.scale", "n:1:41"}, {0, "data_param.source", "n:2:2"},
		{0, "top[0]", "n:2:17"}, {0, "data_param.batch_size", "n:1:1"},
		{1, "", "n:5:1"}, {1, "bottom[0]", "n:3:10"}, {1, "convolution_param.pad[0]", "n:4:2"}, {1, "convolution_param.num_output", "n:9:2"},
		{1, "param[0]", "n:6:31"}, {1, "param[1].lr_mult", "n:8:2"}, {1, "param[0].decay_mult", "n:8:14"}, {1, "blobs[0].num", "n:10:2"},
	} {
		if got := f.FieldPos(tt.layer, tt.field).LineCol(); got != tt.want {
			t.Errorf("layer %d %s is at %s, want %s", tt.layer, tt.field, got, tt.want)
		}
	}
}

func TestUpgradeTransformPlaces(t *testing.T) {
	f, err := ParseNet("n", []byte("layers { type: DATA\n transform_param { scale: 2 } data_param {\n scale: 3\n mirror: true } }\nlayers { type: DATA }"))
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"transform_param.scale": "n:3:2", "transform_param.mirror": "n:4:2", "transform_param": "n:2:2",
		"data_param": "n:2:31", "data_param.scale": "n:2:31",
	} {
		if got := f.FieldPos(0, field).LineCol(); got != want {
			t.Errorf("%s is at %s, want %s", field, got, want)
		}
	}
	if f.Net.Layer[1].TransformParam == nil || f.Net.Layer[0].GetTransformParam().GetScale() != 3 {
		t.Errorf("got\n%s", Text(f.Net))
	}
	// In today's layers these fields stay where they are.
	f, err = ParseNet("n", []byte("layer { type: 'Data' data_param { scale: 3 } }"))
	if err != nil || f.Net.Layer[0].TransformParam != nil || f.Net.Layer[0].DataParam.Scale == nil || len(f.Log) > 0 {
		t.Errorf("%v, %v", f, err)
	}
}

// TestUpgradeV0Dropped: what V0 nets do not have is lost in Caffe; it is lost here too, but not
// without a word.
func TestUpgradeV0Dropped(t *testing.T) {
	f, err := ParseNet("n", []byte("debug_info: true\nlayers { layer { type: 'relu'\n pad: 1 }\n include { phase: TEST } }\nlayers { layer { type: 'data' }\n loss_weight: 2 }"))
	if err != nil {
		t.Fatal(err)
	}
	want := "n:4: include is dropped, as Caffe does: V0 nets do not have it.\nn:6: loss_weight is dropped, as Caffe does: V0 nets do not have it.\n" +
		"n:1: debug_info is dropped, as Caffe does: V0 nets do not have it."
	if got := strings.Join(f.Warnings, "\n"); got != want {
		t.Errorf("warnings:\n%s\nwant:\n%s", got, want)
	}
	if f.Net.DebugInfo != nil || len(f.Net.Layer[0].Include) > 0 || len(f.Net.Layer[1].LossWeight) > 0 {
		t.Errorf("got\n%s", Text(f.Net))
	}
	if got := f.Log[1]; got != (LogLine{'E', "Unknown parameter pad for layer type relu (n:3)"}) {
		t.Errorf("log: %v", got)
	}
}

// TestUpgradeInlineTwice: reading a net of a solver leaves the solver as it is.
func TestUpgradeInlineTwice(t *testing.T) {
	f, err := ParseSolver("s", []byte("net_param { input: 'x' input_dim: [1, 2, 3, 4]\n layers { type: RELU\n blobs_lr: 1 } }"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		net, err := f.InlineNet("net_param")
		if err != nil || len(net.Net.Layer) != 2 || net.FieldPos(1, "param[0].lr_mult").LineCol() != "s:3:2" || len(net.Log) != 5 {
			t.Errorf("%v, %v", net, err)
		}
	}
}
