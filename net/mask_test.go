package net_test

import (
	"slices"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// drawing is a device that draws masks, as a GPU does.
type drawing struct{ engine.Device }

func (drawing) DrawsMasks() {}

const dropped = `
name: "dropped"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 4 dim: 500 } } }
layer { name: "a" type: "Dropout" bottom: "x" top: "a" dropout_param { dropout_ratio: 0.25 } }
layer { name: "b" type: "Dropout" bottom: "x" top: "b" dropout_param { dropout_ratio: 0.25 } }
layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "sum" loss_weight: 1 }
`

// masks are blobs a and b of two runs on a picture of ones, and the gradient of x in the second.
func masks(t *testing.T, dev engine.Device, seed uint32, host bool) (tops [][]float32, grad []float32, kinds []graph.FeedKind) {
	t.Helper()
	n := open(t, dropped, net.Options{
		Device: dev, State: &caffepb.NetState{Phase: caffepb.Phase_TRAIN.Enum()}, Backward: true, ForceBackward: true, KeepAll: true,
		Random: rng.New(seed), HostMasks: host,
	})
	must(t, n.SetInput("x", slices.Repeat([]float32{1}, 2000)))
	for range 2 {
		must(t, n.ForwardBackward())
		for _, blob := range []string{"a", "b"} {
			top := make([]float32, 2000)
			must(t, n.Read(blob, top))
			tops = append(tops, top)
		}
	}
	grad = make([]float32, 2000)
	must(t, n.ReadGrad("x", grad))
	for _, f := range n.Graph().Feeds {
		kinds = append(kinds, f.Kind)
	}
	return tops, grad, kinds
}

// A device that draws masks gets seeds of the random stream: the same stream gives the same
// masks, each layer and each run has its own, and the gradient's is that of the forward pass.
func TestDeviceMasks(t *testing.T) {
	ref := device(t)
	dev := drawing{ref}
	tops, grad, kinds := masks(t, dev, 1, false)
	if !slices.Contains(kinds, graph.FeedSeed) || slices.Contains(kinds, graph.FeedMask) {
		t.Errorf("feeds %v, want seeds and no masks", kinds)
	}
	for i := range tops {
		for j := range i {
			if slices.Equal(tops[i], tops[j]) {
				t.Errorf("masks %d and %d are the same", j, i)
			}
		}
	}
	for i, g := range grad {
		if g != tops[2][i]+tops[3][i] {
			t.Fatalf("gradient %d is %g, the masks are %g and %g", i, g, tops[2][i], tops[3][i])
		}
	}
	again, _, _ := masks(t, dev, 1, false)
	other, _, _ := masks(t, dev, 2, false)
	if !slices.EqualFunc(tops, again, slices.Equal) || slices.Equal(tops[0], other[0]) {
		t.Error("the masks are not those of the random stream")
	}
	want, _, _ := masks(t, ref, 1, false)
	host, _, kinds := masks(t, dev, 1, true)
	if !slices.EqualFunc(want, host, slices.Equal) || !slices.Contains(kinds, graph.FeedMask) {
		t.Errorf("with HostMasks the masks are not those of a device that draws none; feeds %v", kinds)
	}
}
