package net_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	pb "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/damagetest"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// smallModel is a .caffemodel for the net two, with blobs of today's and of old kinds.
func smallModel(t testing.TB) []byte {
	t.Helper()
	a := layer("a", blobOf(4, 3), legacyBlob(1, 1, 1, 4))
	b := layer("b", &caffepb.BlobProto{
		Shape: &caffepb.BlobShape{Dim: []int64{2, 4}}, RawDataType: caffepb.Type_FLOAT16.Enum(), RawData: make([]byte, 16),
	})
	data, err := pb.Marshal(&caffepb.NetParameter{Name: pb.String("two"), Layer: []*caffepb.LayerParameter{a, b}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// load reads a .caffemodel from a file, whole, into the net. An error names the file.
func load(t testing.TB, name string, n *net.Net, path string, b []byte) (net.Copied, error) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	var done net.Copied
	w, err := proto.ReadNetWeights(path)
	if err == nil {
		done, err = n.CopyTrained(w, path)
	}
	if err != nil && !strings.Contains(err.Error(), path) {
		t.Errorf("%s: the error does not name the file: %v", name, err)
	}
	return done, err
}

// openTwo is the net two on the reference engine.
func openTwo(t testing.TB) *net.Net {
	t.Helper()
	file, err := proto.ParseNet("two", []byte(two))
	if err != nil {
		t.Fatal(err)
	}
	dev, err := engine.Open("ref", engine.Config{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	n, err := net.New(file, net.Options{Device: dev})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.Close()
		dev.Close()
	})
	return n
}

// A .caffemodel that is cut at any byte is an error, unless it is cut between two layers: then the layers that it lacks are named. Any
// flipped byte or bit is an error, other values, or a layer that is named.
func TestDamagedCaffemodel(t *testing.T) {
	whole := smallModel(t)
	n, path := openTwo(t), filepath.Join(t.TempDir(), "w.caffemodel")
	if done, err := load(t, "whole", n, path, whole); err != nil || len(done.Loaded) != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	failed, silent := 0, 0
	damagetest.Each(t, whole, 8*len(whole), func(name string, b []byte) {
		damagetest.Within(t, name, 4<<20, func() {
			done, err := load(t, name, n, path, b)
			switch {
			case err != nil:
				failed++
			case len(b) < len(whole) && len(done.Initial) == 0:
				t.Errorf("%s: all layers were loaded: %+v", name, done)
			default:
				silent++
			}
		})
	})
	if failed < len(whole) || silent == 0 {
		t.Errorf("%d of %d damages are errors", failed, failed+silent)
	}
}

// FuzzCopyTrained: whatever is in a .caffemodel, it is loaded into a net, or an error names the file and the net is as it was.
func FuzzCopyTrained(f *testing.F) {
	whole := smallModel(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	v1, err := pb.Marshal(&caffepb.NetParameter{Layers: []*caffepb.V1LayerParameter{{
		Name: pb.String("a"), Type: caffepb.V1LayerParameter_INNER_PRODUCT.Enum(), Blobs: []*caffepb.BlobProto{blobOf(4, 3), blobOf(4)},
	}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(v1)
	n, path := openTwo(f), filepath.Join(f.TempDir(), "w.caffemodel")
	f.Fuzz(func(t *testing.T, data []byte) {
		damagetest.Within(t, "caffemodel", 4<<20+uint64(200*len(data)), func() { _, _ = load(t, "caffemodel", n, path, data) })
	})
}

// FuzzBuild: whatever prototxt parses, the net of it is built or refused with errors that name the file; nothing panics. It stops
// before memory is planned: what a net may ask for has no limit.
func FuzzBuild(f *testing.F) {
	for _, seed := range []string{
		two, regression,
		`input: "x" input_dim: 1 input_dim: 2 input_dim: 5 input_dim: 5 layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 2 group: 2 kernel_size: 3 stride: 2 dilation: 1 } }
layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { pool: AVE kernel_size: 2 } }`,
		`layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
layer { name: "s" type: "Slice" bottom: "x" top: "a" top: "b" slice_param { axis: 1 slice_point: 1 } } layer { name: "r" type: "Reshape" bottom: "a" top: "r" reshape_param { shape { dim: -1 dim: 0 } } }
layer { name: "l" type: "SoftmaxWithLoss" bottom: "b" bottom: "y" top: "l" include { phase: TRAIN } }`,
	} {
		f.Add([]byte(seed))
	}
	for _, folder := range []string{"layers", "fork_layers"} { // a net of every layer
		paths, err := filepath.Glob(filepath.Join("..", "testdata", "golden", folder, "*.prototxt"))
		if err != nil || len(paths) < 50 {
			f.Fatalf("%d nets in %s (%v)", len(paths), folder, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := proto.ParseNet("net.prototxt", text)
		if err != nil {
			return
		}
		_, err = net.Summarize(file, net.SummaryOptions{State: state(caffepb.Phase_TRAIN)})
		if err != nil && !strings.Contains(err.Error(), "net.prototxt") {
			t.Errorf("the error does not name the file: %v", err)
		}
	})
}
