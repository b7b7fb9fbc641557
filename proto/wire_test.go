package proto

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/gocaffe/gocaffe/internal/sharedtest"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func messageFor(path string) proto.Message {
	switch filepath.Ext(path) {
	case ".caffemodel":
		return new(caffepb.NetParameter)
	case ".solverstate":
		return new(caffepb.SolverState)
	}
	return new(caffepb.BlobProto)
}

// TestGoldenBinaries reads files that real Caffe wrote, and writes the same bytes.
func TestGoldenBinaries(t *testing.T) {
	var files []string
	for _, ending := range []string{".caffemodel", ".solverstate", ".binaryproto"} {
		files = append(files, filesBelow(t, goldenDir, ending)...)
	}
	for _, path := range files {
		checkSameBytes(t, path)
	}
}

func TestModelBinaries(t *testing.T) {
	for _, path := range filesBelow(t, sharedtest.Dir(t, "models"), ".caffemodel") {
		checkSameBytes(t, path)
	}
}

func checkSameBytes(t *testing.T, path string) {
	t.Helper()
	m := messageFor(path)
	if err := ReadBinary(path, m); err != nil {
		t.Error(err)
		return
	}
	var out bytes.Buffer
	if err := WriteBinary(&out, m); err != nil {
		t.Error(err)
		return
	}
	want := mustRead(t, path)
	if bytes.Equal(out.Bytes(), want) {
		return
	}
	// A fork's unknown fields are written behind ours, which moves those with small numbers.
	again := messageFor(path)
	if err := proto.Unmarshal(out.Bytes(), again); err != nil || !hasUnknown(m.ProtoReflect()) || out.Len() != len(want) || !proto.Equal(m, again) {
		t.Errorf("%s: written with other bytes", path)
	}
}

// hasUnknown reports whether a message or one in it has fields that the schema lacks.
func hasUnknown(m protoreflect.Message) bool {
	found := len(m.GetUnknown()) > 0
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				found = found || hasUnknown(v.List().Get(i).Message())
			}
		default:
			found = found || hasUnknown(v.Message())
		}
		return !found
	})
	return found
}

func TestReadTyped(t *testing.T) {
	net, err := ReadNetWeights(filepath.Join(goldenDir, "solvers/adam/snap_iter_20.caffemodel"))
	if err != nil {
		t.Fatal(err)
	}
	blobs := 0
	for _, layer := range net.Layer {
		for _, b := range layer.Blobs {
			if _, err := BlobData(b); err != nil {
				t.Errorf("layer %s: %v", layer.GetName(), err)
			}
			blobs++
		}
	}
	if blobs == 0 {
		t.Error("no weights")
	}
	state, err := ReadSolverState(filepath.Join(goldenDir, "solvers/adam/snap_iter_20.solverstate"))
	if err != nil || state.GetIter() != 20 || len(state.History) == 0 {
		t.Errorf("%v, %v", state, err)
	}
	mean, err := ReadBlob(filepath.Join(goldenDir, "data/mean.binaryproto"))
	if err != nil {
		t.Fatal(err)
	}
	if shape, err := BlobShape(mean); err != nil || len(shape) != 4 {
		t.Errorf("mean: %v, %v", shape, err)
	}
}

// TestWriteOrder: fields below, between and above the repeated messages, and unknown ones.
func TestWriteOrder(t *testing.T) {
	net := &caffepb.NetParameter{
		Name:       proto.String("n"),
		Layers:     []*caffepb.V1LayerParameter{{Name: proto.String("v1")}},
		Input:      []string{"a", "b"},
		InputShape: []*caffepb.BlobShape{{Dim: []int64{1, 2}}, {}},
		InputDim:   []int32{1, 2, 3, 4},
		State:      &caffepb.NetState{Level: proto.Int32(3)},
		DebugInfo:  proto.Bool(true),
		Layer:      []*caffepb.LayerParameter{{Name: proto.String("l"), Blobs: []*caffepb.BlobProto{NewBlob([]int{2}, []float32{1, 2})}}},
	}
	net.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 7000, protowire.VarintType), 5))
	want, err := proto.MarshalOptions{Deterministic: true}.Marshal(net)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := WriteBinary(&got, net); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%v\ngot  %x\nwant %x", err, got.Bytes(), want)
	}
}

type failingWriter struct{ left int }

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestWriteErrors(t *testing.T) {
	net := &caffepb.NetParameter{Name: proto.String("n"), Layer: []*caffepb.LayerParameter{{Name: proto.String("layer")}}}
	var out bytes.Buffer
	err := writeBinary(&out, net, 4)
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "snapshot_format: HDF5") || out.Len() != 0 {
		t.Errorf("too large: %v, %d bytes written", err, out.Len())
	}
	size := proto.Size(net)
	for left := range size {
		if err := WriteBinary(&failingWriter{left}, net); err == nil || err.Error() != "disk full" {
			t.Errorf("%d bytes of room for %d: %v", left, size, err)
		}
	}
	err = WriteBinary(&out, &caffepb.LayerParameter{ClipParam: new(caffepb.ClipParameter)})
	if err == nil || !strings.Contains(err.Error(), "required field") || out.Len() != 0 {
		t.Errorf("required field missing: %v", err)
	}
}

func TestReadErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.caffemodel")
	length := func(num protowire.Number, n uint64, rest ...byte) []byte {
		return append(protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.BytesType), n), rest...)
	}
	nested := length(100, 9, length(7, 7, length(5, 1<<40)...)...)
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "the file is empty"},
		{"HDF5", []byte("\x89HDF\r\n\x1a\n"), "this is an HDF5 file; its name must end in .h5"},
		{"Git LFS", []byte("version https://git-lfs.github.com/spec/v1\n"), "this is a Git LFS pointer, not the file itself; run git lfs pull"},
		{"HTML", []byte("\n<!DOCTYPE html><html>"), "this is an HTML page, not the file itself; download it again"},
		{"truncated", length(1, 10, []byte("lenet")...), "byte 1 of 7 (name): 10 bytes announced, 5 left: the file is truncated or damaged"},
		{"huge length", length(100, 1<<62, 1), "byte 2 of 12 (layer[0]): 4611686018427387904 bytes announced, 1 left: the file is truncated or damaged"},
		{"inside", append(length(1, 1, 'n'), nested...), "byte 9 of 15 (layer[0].blobs[0].data): 1099511627776 bytes announced, 0 left"},
		{"packed floats", length(100, 7, length(7, 5, length(5, 3, 1, 2, 3)...)...), "byte 7 of 10 (layer[0].blobs[0].data): 3 bytes are not a multiple of 4"},
		{"no field", []byte{0x0a, 1, 'n', 0x07}, "byte 3 of 4: no field begins here"},
		{"end of group", []byte{0x0c}, "byte 1 of 1 (name): "},
		{"required field", length(100, 9, append(length(2, 4, 'C', 'l', 'i', 'p'), length(148, 0)...)...), "required field"},
	}
	for _, tt := range tests {
		if err := os.WriteFile(path, tt.data, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ReadNetWeights(path)
		want := fmt.Sprintf("Failed to parse NetParameter file: %s: ", path)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// TestForeignClip: SmoothL1LossParameter of other forks, with sigma alone, has the number of our
// clip_param.
func TestForeignClip(t *testing.T) {
	sigma := protowire.AppendFixed32(protowire.AppendTag(nil, 1, protowire.Fixed32Type), 0x3f800000)
	layer := protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), "SmoothL1Loss")
	layer = protowire.AppendBytes(protowire.AppendTag(layer, 148, protowire.BytesType), sigma)
	net := new(caffepb.NetParameter)
	data := protowire.AppendBytes(protowire.AppendTag(nil, 100, protowire.BytesType), layer)
	if err := UnmarshalBinary("w", data, net); err != nil || net.Layer[0].GetType() != "SmoothL1Loss" || net.Layer[0].ClipParam != nil {
		t.Errorf("%v, %v", net, err)
	}
}

// TestTruncatedAnywhere cuts a file of real Caffe at every byte of its start: an error that says
// where, or a shorter net where the cut is between two fields.
func TestTruncatedAnywhere(t *testing.T) {
	data := mustRead(t, filepath.Join(goldenDir, "solvers/adam/snap_iter_20.caffemodel"))
	whole := 0
	for n := 1; n < len(data); n += 1 + n/500 {
		err := UnmarshalBinary("w", data[:n], new(caffepb.NetParameter))
		switch {
		case err == nil:
			whole++
		case !strings.Contains(err.Error(), fmt.Sprintf(" of %d", n)):
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if whole > 10 {
		t.Errorf("%d cuts went unnoticed", whole)
	}
}

func TestReadLargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.caffemodel")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// A hole: no disk space is used.
	if err := f.Truncate(MaxBinary + 1); err != nil {
		t.Skip("no sparse files here: ", err)
	}
	_, err = ReadNetWeights(path)
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "2147483648 bytes") || !strings.Contains(err.Error(), ".caffemodel.h5") {
		t.Errorf("got %v", err)
	}
	if _, err := ReadBlob(path + "x"); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "File not found: ") {
		t.Errorf("missing file: %v", err)
	}
}

// BenchmarkReadWeights reads a .caffemodel of AlexNet's size, 244 MB.
func BenchmarkReadWeights(b *testing.B) {
	net := new(caffepb.NetParameter)
	for _, n := range []int{35 << 10, 300 << 10, 885 << 10, 664 << 10, 442 << 10, 37_748_736, 16_777_216, 4_096_000} {
		net.Layer = append(net.Layer, &caffepb.LayerParameter{Blobs: []*caffepb.BlobProto{NewBlob([]int{n}, make([]float32, n))}})
	}
	path := filepath.Join(b.TempDir(), "alexnet.caffemodel")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(WriteBinary(f, net), f.Close()); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(proto.Size(net)))
	for b.Loop() {
		if _, err := ReadNetWeights(path); err != nil {
			b.Fatal(err)
		}
	}
}
