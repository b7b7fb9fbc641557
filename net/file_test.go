package net_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	protobuf "google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto"
)

// The matrix of InfogainLoss comes from a file: with class 1 counted twice, two
// even scores cost (ln 2 + 2·ln 2)/2.
func TestInfogainSource(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.binaryproto")
	text := `
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 2 } } }
layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 2 } } }
layer { name: "loss" type: "InfogainLoss" bottom: "x" bottom: "label" top: "loss" infogain_loss_param { source: "` + path + `" } }
`
	for _, c := range []struct {
		h    []float32
		want string
	}{
		{nil, "h.binaryproto"},
		{[]float32{1, 0, 0}, "has 3 numbers, want 4 (2 2)"},
		{[]float32{1, 0, 0, 2}, ""},
	} {
		if c.h != nil {
			data, err := protobuf.Marshal(proto.NewBlob([]int{len(c.h)}, c.h))
			must(t, err)
			must(t, os.WriteFile(path, data, 0o644))
		}
		n := open(t, text, net.Options{Backward: true, ForceBackward: true})
		must(t, n.SetInput("label", []float32{0, 1}))
		for range 2 { // the file is read once
			err := n.ForwardBackward()
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `layer "loss"`) {
					t.Errorf("%v: got %v, want %s", c.h, err, c.want)
				}
				continue
			}
			must(t, err)
			if got, want := loss(t, n), float32(1.5*math.Ln2); math.Abs(float64(got-want)) > 1e-6 {
				t.Errorf("loss %g, want %g", got, want)
			}
			must(t, os.RemoveAll(path))
		}
	}
}

// Each step of an LSTM has its matrix drawn in Caffe, and all but the first are
// dropped: the layer behind it gets the numbers that come then.
func TestRecurrentDraws(t *testing.T) {
	const behind = `layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 1 axis: 2 bias_term: false weight_filler { type: "uniform" } } }`
	const inputs = `
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 2 dim: 4 } } }
layer { name: "cont" type: "Input" top: "cont" input_param { shape { dim: 3 dim: 2 } } }
`
	// As many numbers: 8·4 of the input's matrix, 3 times 8·2 of the state's.
	const drawn = `layer { name: "d" type: "InnerProduct" bottom: "x" top: "d" inner_product_param { num_output: 20 axis: 2 bias_term: false weight_filler { type: "uniform" } } }`
	lstm := open(t, inputs+`layer { name: "l" type: "LSTM" bottom: "x" bottom: "cont" top: "h" recurrent_param { num_output: 2 weight_filler { type: "uniform" } } }`+behind, net.Options{})
	plain := open(t, inputs+drawn+behind, net.Options{})
	near(t, "the layer behind", param(t, lstm, 3), param(t, plain, 1))
}
