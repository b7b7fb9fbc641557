package proto

import (
	"bufio"
	"bytes"
	"errors"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// mixedFields is a net's bytes with fields of every wire type between its layers, known and unknown.
func mixedFields(t *testing.T) []byte {
	t.Helper()
	layer := func(name string) []byte {
		b, err := proto.Marshal(&caffepb.NetParameter{Layer: []*caffepb.LayerParameter{
			{Name: proto.String(name), Blobs: []*caffepb.BlobProto{NewBlob([]int{3}, []float32{1, 2, 3})}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := append([]byte{}, layer("first")...)
	b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), "net")
	b = protowire.AppendVarint(protowire.AppendTag(b, 5, protowire.VarintType), 1) // force_backward
	b = protowire.AppendFixed32(protowire.AppendTag(b, 9001, protowire.Fixed32Type), 7)
	b = append(b, layer("second")...)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 9002, protowire.Fixed64Type), 8)
	b = protowire.AppendBytes(protowire.AppendTag(b, 9003, protowire.BytesType), []byte("unknown"))
	b = protowire.AppendString(protowire.AppendTag(b, 3, protowire.BytesType), "data") // input
	return append(b, layer("third")...)
}

func byElements(data []byte) (*caffepb.NetParameter, error) {
	net := new(caffepb.NetParameter)
	err := readElements(bufio.NewReader(bytes.NewReader(data)), int64(len(data)), net.ProtoReflect())
	return net, err
}

// What is read element by element is what protobuf reads, or refused: also of damaged bytes, which those who have all of them explain.
func TestReadElements(t *testing.T) {
	data := mixedFields(t)
	net, err := byElements(data)
	want := new(caffepb.NetParameter)
	if err := errors.Join(err, proto.Unmarshal(data, want)); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(net, want) || len(net.Layer) != 3 || len(net.ProtoReflect().GetUnknown()) == 0 {
		t.Errorf("read %v, want %v", net, want)
	}
	r, refused := rand.New(rand.NewSource(1)), 0
	for range 3000 {
		damaged := bytes.Clone(data)
		for range 1 + r.Intn(2) {
			damaged[r.Intn(len(damaged))] ^= 1 << r.Intn(8)
		}
		damaged = damaged[:len(damaged)-r.Intn(2)*r.Intn(len(damaged))]
		net, err := byElements(damaged)
		if err != nil {
			refused++
			continue
		}
		want := new(caffepb.NetParameter)
		if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(damaged, want); err != nil || !proto.Equal(net, want) {
			t.Fatalf("%x: read %v, protobuf %v, %v", damaged, net, want, err)
		}
	}
	if refused < 300 || refused > 2900 {
		t.Errorf("%d of 3000 damaged nets are refused", refused)
	}
}

// Files large enough to be read so: the same net, and where they are cut the error that small ones give.
func TestReadLargeWeights(t *testing.T) {
	net := &caffepb.NetParameter{Name: proto.String("n")}
	for _, name := range []string{"a", "b"} {
		net.Layer = append(net.Layer, &caffepb.LayerParameter{
			Name: proto.String(name), Type: proto.String("InnerProduct"), Blobs: []*caffepb.BlobProto{NewBlob([]int{largeFile / 4}, make([]float32, largeFile/4))},
		})
	}
	var file bytes.Buffer
	if err := WriteBinary(&file, net); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "w.caffemodel")
	write := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(file.Bytes())
	got := new(caffepb.NetParameter)
	if err := readLarge(path, int64(file.Len()), got); err != nil || !proto.Equal(got, net) {
		t.Errorf("%v; layers %v", err, len(got.Layer))
	}
	if got, err := ReadNetWeights(path); err != nil || !proto.Equal(got, net) {
		t.Errorf("%v; layers %v", err, len(got.GetLayer()))
	}
	write(file.Bytes()[:file.Len()-5])
	if _, err := ReadNetWeights(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), " of ") {
		t.Errorf("a cut file: %v", err)
	}
}
