//go:build cgo

package net_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/gocaffe/gocaffe/data"
	_ "github.com/gocaffe/gocaffe/data/lmdb"
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// taking is a device that takes pictures as bytes, as a GPU does.
type taking struct{ engine.Device }

func (taking) TakesPixels() {}

const pictured = `
name: "pictured"
layer { name: "data" type: "Data" top: "data" top: "label" data_param { source: "lmdb_resized" batch_size: 4 backend: LMDB }
  transform_param { mirror: true crop_size: 31 mean_file: "mean.binaryproto" scale: 0.017 } }
layer { name: "list" type: "ImageData" top: "images" top: "classes" transform_param { mirror: true crop_size: 31 mean_value: 90 mean_value: 100 mean_value: 110 }
  image_data_param { source: "list.txt" root_folder: "images/" batch_size: 4 new_height: 40 new_width: 50 shuffle: true } }
layer { name: "encoded" type: "Data" top: "gray" data_param { source: "lmdb_encoded_jpg" batch_size: 4 backend: LMDB }
  transform_param { crop_size: 31 force_gray: true } }
layer { name: "all" type: "Concat" bottom: "data" bottom: "images" bottom: "gray" top: "all" }
layer { name: "ip" type: "InnerProduct" bottom: "all" top: "ip" inner_product_param { num_output: 9 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
layer { name: "hits" type: "Accuracy" bottom: "ip" bottom: "classes" top: "hits" }
`

func openPictured(t *testing.T, o net.Options) *net.Net {
	t.Helper()
	o.State, o.Random, o.KeepAll, o.Backward = &caffepb.NetState{Phase: caffepb.Phase_TRAIN.Enum()}, rng.New(3), true, true
	o.Open = func(l *spec.Layer, draw func() uint32) (net.Source, error) {
		if l.GetType() == "ImageData" {
			return data.OpenImageData(l.LayerParameter, data.Options{Random: draw})
		}
		return data.OpenData(l.LayerParameter, data.Options{Random: draw})
	}
	return open(t, pictured, o)
}

// fedBytes counts the feeds of bytes.
func fedBytes(n *net.Net) int {
	count := 0
	for _, f := range n.Graph().Feeds {
		if f.Kind == graph.FeedData && f.Pixels {
			count++
		}
	}
	return count
}

// A device that takes bytes computes the blobs that the others are given, bit for bit, also
// where it goes on from a saved position; unless somebody wants the gradient of a picture.
func TestDevicePixels(t *testing.T) {
	dir, err := filepath.Abs("../testdata/golden/data")
	must(t, err)
	t.Chdir(dir)
	ref := device(t)
	given, taken := openPictured(t, net.Options{Device: ref}), openPictured(t, net.Options{Device: taking{ref}})
	again, forced := openPictured(t, net.Options{Device: taking{ref}}), openPictured(t, net.Options{Device: taking{ref}, ForceBackward: true})
	if got := []int{fedBytes(given), fedBytes(taken), fedBytes(forced)}; !slices.Equal(got, []int{0, 3, 0}) {
		t.Fatalf("%v feeds are bytes, want 0 on a device that takes none, 3, and 0 with force_backward", got)
	}
	for i := range 6 {
		must(t, given.ForwardBackward())
		must(t, taken.ForwardBackward())
		must(t, forced.ForwardBackward())
		if i == 2 {
			state, err := given.DataState()
			must(t, err)
			must(t, again.RestoreData(state))
		} else if i > 2 {
			must(t, again.ForwardBackward())
		}
		for _, blob := range []string{"data", "label", "images", "classes", "gray", "loss"} {
			want := read(t, given, blob)
			if !slices.Equal(read(t, taken, blob), want) || i > 2 && !slices.Equal(read(t, again, blob), want) {
				t.Errorf("batch %d: blob %s has other values of bytes than of numbers", i, blob)
			}
		}
	}
	gradient := make([]float32, 4*3*31*31)
	must(t, forced.ReadGrad("images", gradient))
	if slices.Max(gradient) == 0 {
		t.Error("with force_backward the pictures have no gradient")
	}
}
