package proto

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/internal/damagetest"
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

// FuzzParseSolver: as FuzzParseNet, for a solver and the nets that are written in it.
func FuzzParseSolver(f *testing.F) {
	for _, seed := range []string{
		"", "net: 'a.prototxt' base_lr: 0.01 test_iter: [1, 2] solver_type: ADAM", "type: 'SGD' solver_type: SGD", "stepvalue: 1 stepvalue: [2] solver_mode: 1",
		"net_param { layers { type: CONVOLUTION } } test_net_param { name: 'a' } test_net_param { input_dim: 3 }", "train_state { stage: ['a', 'b'] level: -1 }",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		damagetest.Within(t, "solver", 8<<20+uint64(4096*len(text)), func() {
			s, err := ParseSolver("solver.prototxt", text)
			if err != nil {
				if !strings.Contains(err.Error(), "solver.prototxt") {
					t.Errorf("the error names no file: %v", err)
				}
				return
			}
			for i := range s.Solver.TestNetParam {
				_, _ = s.InlineNet(indexed("test_net_param", i))
			}
			_, _ = s.InlineNet("net_param")
			_, _ = s.InlineNet("train_net_param")
		})
	})
}

// FuzzReadBlob: a mean image and a solver's state. Values come to no more than the bytes hold, and errors name the file.
func FuzzReadBlob(f *testing.F) {
	for _, m := range []proto.Message{
		NewBlob([]int{1, 3, 2, 2}, make([]float32, 12)), &caffepb.BlobProto{Num: proto.Int32(1), Channels: proto.Int32(2), DoubleData: []float64{1, 2}},
		&caffepb.SolverState{Iter: proto.Int32(20), LearnedNet: proto.String("x.caffemodel"), History: []*caffepb.BlobProto{NewBlob([]int{2}, []float32{1, 2})}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		damagetest.Within(t, "message", 1<<20+uint64(200*len(data)), func() {
			blob, state := new(caffepb.BlobProto), new(caffepb.SolverState)
			if err := UnmarshalBinary("mean.binaryproto", data, blob); err == nil {
				_, _ = BlobData(blob)
			} else if !strings.Contains(err.Error(), "mean.binaryproto") {
				t.Errorf("the error names no file: %v", err)
			}
			if err := UnmarshalBinary("s.solverstate", data, state); err != nil && !strings.Contains(err.Error(), "s.solverstate") {
				t.Errorf("the error names no file: %v", err)
			}
			for _, h := range state.History {
				_, _ = BlobData(h)
			}
		})
	})
}

// TestDamagedFile damages real Caffe's files everywhere: an error that names the file, or other values, and never memory beyond the file's
// size.
func TestDamagedFile(t *testing.T) {
	for _, name := range []string{"solvers/adam/snap_iter_20.caffemodel", "solvers/adam/snap_iter_20.solverstate", "data/mean.binaryproto"} {
		data := mustRead(t, filepath.Join(goldenDir, name))
		failed := 0
		damagetest.Each(t, data, 1500, func(damage string, b []byte) {
			damage = name + ": " + damage
			damagetest.Within(t, damage, 1<<20+uint64(20*len(data)), func() {
				if err := readDamaged(name, b); err != nil {
					failed++
					if !strings.Contains(err.Error(), name) {
						t.Errorf("%s: the error does not name the file: %v", damage, err)
					}
				}
			})
		})
		if failed < 500 {
			t.Errorf("%s: %d damages were found, want more", name, failed)
		}
	}
}

// readDamaged reads a file by its ending, all values included.
func readDamaged(name string, b []byte) error {
	var blobs []*caffepb.BlobProto
	switch filepath.Ext(name) {
	case ".solverstate":
		state := new(caffepb.SolverState)
		if err := UnmarshalBinary(name, b, state); err != nil {
			return err
		}
		blobs = state.History
	case ".binaryproto":
		blobs = []*caffepb.BlobProto{{}}
		if err := UnmarshalBinary(name, b, blobs[0]); err != nil {
			return err
		}
	default:
		f := &NetFile{Path: name, Net: new(caffepb.NetParameter)}
		if err := UnmarshalBinary(name, b, f.Net); err != nil {
			return err
		}
		if err := f.upgrade(); err != nil {
			return err
		}
		for _, l := range f.Net.Layer {
			blobs = append(blobs, l.Blobs...)
		}
	}
	for _, blob := range blobs {
		if _, err := BlobData(blob); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
