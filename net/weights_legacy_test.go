package net_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pb "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// TestCopyTrainedOldFiles: files of 2013 and 2014 name their layers elsewhere in the message, and
// give every blob four axes.
func TestCopyTrainedOldFiles(t *testing.T) {
	a, b := pb.String("a"), pb.String("b")
	weights, bias, second := legacyBlob(1, 1, 4, 3), legacyBlob(1, 1, 1, 4), legacyBlob(1, 1, 2, 4)
	for name, file := range map[string]*caffepb.NetParameter{
		"V1": {Layers: []*caffepb.V1LayerParameter{
			{Name: a, Type: caffepb.V1LayerParameter_INNER_PRODUCT.Enum(), Blobs: []*caffepb.BlobProto{weights, bias}, BlobsLr: []float32{1, 2}},
			{Name: b, Blobs: []*caffepb.BlobProto{second}},
		}},
		"V0": {Input: []string{"x"}, InputDim: []int32{2, 3, 1, 1}, Layers: []*caffepb.V1LayerParameter{
			{Bottom: []string{"x"}, Layer: &caffepb.V0LayerParameter{Name: a, Type: pb.String("innerproduct"), Blobs: []*caffepb.BlobProto{weights, bias}}},
			{Layer: &caffepb.V0LayerParameter{Name: b, Type: pb.String("innerproduct"), Blobs: []*caffepb.BlobProto{second}}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "old.caffemodel")
			data, err := pb.Marshal(file)
			must(t, err)
			must(t, os.WriteFile(path, data, 0o644))
			w, err := proto.ReadNetWeights(path)
			must(t, err)
			n := open(t, two, net.Options{})
			got, err := n.CopyTrained(w, path)
			must(t, err)
			if !slices.Equal(got.Loaded, []string{"a", "b"}) {
				t.Errorf("copied %+v", got)
			}
			near(t, "a[0]", param(t, n, 0), ramp(12))
			near(t, "a[1]", param(t, n, 1), ramp(4))
			near(t, "b[0]", param(t, n, 2), ramp(8))
		})
	}
}

// TestCopyTrainedBlobs: the four numbers of old files win over a shape beside them,
// as in Caffe, and NVCaffe's raw values are read.
func TestCopyTrainedBlobs(t *testing.T) {
	both := legacyBlob(1, 1, 4, 3)
	both.Shape = &caffepb.BlobShape{Dim: []int64{12}}
	raw := &caffepb.BlobProto{
		Shape:       &caffepb.BlobShape{Dim: []int64{4}},
		RawDataType: caffepb.Type_FLOAT16.Enum(),
		RawData:     []byte{0x00, 0x3c, 0x00, 0xc0, 0x00, 0x38, 0x00, 0x00}, // 1, −2, ½, 0
	}
	n := open(t, two, net.Options{})
	got, err := n.CopyTrained(&caffepb.NetParameter{Layer: []*caffepb.LayerParameter{{Name: pb.String("a"), Blobs: []*caffepb.BlobProto{both, raw}}}}, "w")
	must(t, err)
	if !slices.Equal(got.Loaded, []string{"a"}) {
		t.Errorf("copied %+v", got)
	}
	near(t, "a[0]", param(t, n, 0), ramp(12))
	near(t, "a[1]", param(t, n, 1), []float32{1, -2, 0.5, 0})

	both.Channels = nil
	both.Height = pb.Int32(3)
	both.Width = pb.Int32(4)
	_, err = n.CopyTrained(&caffepb.NetParameter{Layer: []*caffepb.LayerParameter{{Name: pb.String("a"), Blobs: []*caffepb.BlobProto{both, raw}}}}, "w")
	if err == nil || !strings.Contains(err.Error(), "shape mismatch") {
		t.Errorf("3×4 values for 4×3 weights: error is %v", err)
	}
}
