package proto

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// FuzzParseNet: no text makes the parser panic, every error has a place in the text, and what is
// read prints to text that reads as the same message.
func FuzzParseNet(f *testing.F) {
	for _, seed := range []string{
		"", "name: \"n\" # c\nlayer { name: 'a' 'b' param < lr_mult: -1.5e3f > propagate_down: [true, f, 0] }",
		"input: 'x' input_dim: [1, 0x2, 03, 4]", "foo { bar: [1, {a: -inf}] } x: 'y'", "layer { clip_param { min: nan max: inf } }",
		"layers { type: CONVOLUTION layer { pool: 1 } }",
		"input: 'x' layers { layer { type: 'padding' pad: 1 } bottom: 'x' top: 'x' } layers { layer { type: 'conv' num_output: 1 blobs_lr: 1 } bottom: 'x' top: 'y' }",
		"layers { type: DATA data_param { scale: 2 } param: 'a' blobs_lr: [1, 2] weight_decay: 0 }", "name: \"\\x41\\101\\u00e9\\", "layer { blobs { data: [1, .5] } }",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		net := new(caffepb.NetParameter)
		if err := UnmarshalText("f", text, net); err != nil {
			lines := bytes.Count(text, []byte("\n")) + 1
			for _, e := range err.(*ParseError).Errors {
				if e.Pos.Line > lines {
					t.Errorf("%v in a text of %d lines", e, lines)
				}
			}
			return
		}
		again := new(caffepb.NetParameter)
		printed := Text(net)
		if err := UnmarshalText("f", []byte(printed), again); err != nil || Text(again) != printed {
			t.Errorf("%v: %q prints as %q", err, text, printed)
		}
		_, _ = ParseNet("f", text)
	})
}

// FuzzReadNetWeights: no bytes make the reader panic or take memory beyond their own size, and an
// error always says where.
func FuzzReadNetWeights(f *testing.F) {
	small, err := proto.Marshal(&caffepb.NetParameter{
		Name: proto.String("n"), Input: []string{"x"}, InputDim: []int32{1, 2, 3, 4},
		Layer: []*caffepb.LayerParameter{{
			Name:      proto.String("ip"),
			Blobs:     []*caffepb.BlobProto{NewBlob([]int{2, 2}, []float32{1, 2, 3, 4}), {RawDataType: caffepb.Type_FLOAT16.Enum(), RawData: []byte{0, 60}}},
			ClipParam: &caffepb.ClipParameter{Min: proto.Float32(0), Max: proto.Float32(6)},
		}},
	})
	if err != nil {
		f.Fatal(err)
	}
	legacy, err := proto.Marshal(&caffepb.NetParameter{Layers: []*caffepb.V1LayerParameter{
		{Top: []string{"p"}, Layer: &caffepb.V0LayerParameter{Type: proto.String("padding")}},
		{Bottom: []string{"p"}, Layer: &caffepb.V0LayerParameter{Type: proto.String("conv"), Pad: proto.Uint32(1), Blobs: []*caffepb.BlobProto{{Num: proto.Int32(1)}}}},
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(legacy)
	f.Add(small)
	f.Add(small[:len(small)/2])
	f.Add([]byte{0xa2, 0x06, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		net := &NetFile{Path: "f", Net: new(caffepb.NetParameter)}
		if err := UnmarshalBinary("f", data, net.Net); err != nil {
			if !strings.HasPrefix(err.Error(), "Failed to parse NetParameter file: f: ") {
				t.Errorf("%v", err)
			}
			return
		}
		if net.upgrade() != nil {
			return
		}
		for _, layer := range net.Net.Layer {
			for _, b := range layer.Blobs {
				_, _ = BlobData(b)
				_, _ = BlobDiff(b)
			}
		}
		_ = Text(net.Net)
		var out bytes.Buffer
		if err := WriteBinary(&out, net.Net); err != nil {
			t.Error(err)
		}
	})
}

// TestDamagedFile damages bytes of a real file: an error or a message, never a panic.
func TestDamagedFile(t *testing.T) {
	data := mustRead(t, filepath.Join(goldenDir, "solvers/adam/snap_iter_20.caffemodel"))
	for i := 0; i < len(data); i += 7 {
		damaged := bytes.Clone(data)
		damaged[i] ^= 0xff
		net := new(caffepb.NetParameter)
		if err := UnmarshalBinary("w", damaged, net); err != nil {
			continue
		}
		for _, layer := range net.Layer {
			for _, b := range layer.Blobs {
				_, _ = BlobData(b)
			}
		}
	}
}
