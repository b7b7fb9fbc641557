package plan_test

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// joinedNet writes a net of branches that meet and part, for n pictures: nested joins, a
// branch that others read too, an activation in place, a part cut out again.
func joinedNet(r *rand.Rand, n int) string {
	w := &netWriter{r: r}
	w.addf(`layer { name: "x" type: "Input" top: "x" input_param { shape { dim: %d dim: 3 dim: 6 dim: 5 } } }`, n)
	w.addf(`layer { name: "label" type: "Input" top: "label" input_param { shape { dim: %d } } }`, n)
	channels := []int{16, 32, 20}
	width := channels[r.Intn(3)]
	top := w.relu(w.conv("x", width))
	for range 1 + r.Intn(3) {
		out := channels[r.Intn(3)]
		switch r.Intn(4) {
		case 0: // as in DenseNet: the join grows
			top, width = w.join("Concat", top, w.relu(w.conv(top, out))), width+out
		case 1: // as in GoogLeNet
			top, width = w.join("Concat", w.relu(w.conv(top, 16)), w.relu(w.conv(top, out)), w.layer("Pooling", top, "pooling_param { pool: MAX kernel_size: 3 pad: 1 stride: 1 }")), 16+out+width
		case 2: // one branch is there twice, which is a copy
			a := w.conv(top, 16)
			top, width = w.join("Concat", a, w.conv(a, out), a), 32+out
		case 3:
			w.n++
			a, b := fmt.Sprintf("s%da", w.n), fmt.Sprintf("s%db", w.n)
			w.addf(`layer { name: "s%d" type: "Slice" bottom: %q top: %q top: %q slice_param { slice_point: 16 } }`, w.n, w.conv(top, 32), a, b)
			top, width = w.join("Concat", w.relu(b), w.conv(a, out), w.join("Eltwise", a, b)), 32+out
		}
		top = w.relu(top)
	}
	top = w.layer("InnerProduct", top, "inner_product_param { num_output: 5 }")
	w.addf(`layer { name: "loss" type: "SoftmaxWithLoss" bottom: %q bottom: "label" top: "loss" }`, top)
	return w.String()
}

// TestParts trains nets with joins: where parts are written in place the same comes out
// as with copies.
func TestParts(t *testing.T) {
	devices := enginetest.Devices(t)
	for seed := range int64(40) {
		text := joinedNet(rand.New(rand.NewSource(seed)), 1+int(seed%4)/3)
		want := trainOn(t, devices["ref"], text, plan.Options{NoFuse: true, NoReuse: true})
		for name, dev := range devices {
			for _, fuse := range []bool{false, true} {
				if msg := differ(want, trainOn(t, dev, text, plan.Options{NoFuse: !fuse}), 2e-3); msg != "" {
					t.Errorf("seed %d, %s, fuse %v: %s\n%s", seed, name, fuse, msg, text)
				}
			}
		}
	}
}

// copies counts the steps that copy parts, forward and backward.
func copies(t *testing.T, dev engine.Device, text string) (concats, slices int) {
	t.Helper()
	g, err := graph.Build(resolve(t, text), graph.Options{Lower: layers.Lower})
	must(t, err)
	must(t, graph.Differentiate(g, graph.GradOptions{}))
	_, err = graph.AddUpdate(g, graph.UpdateOptions{Rule: engine.SGD})
	must(t, err)
	p, err := plan.Compile(g, dev, plan.Options{})
	must(t, err)
	defer p.Close()
	for _, s := range p.Steps() {
		switch s.Op.(type) {
		case engine.Concat:
			concats++
		case engine.Slice:
			slices++
		}
	}
	return concats, slices
}

// One picture's channels are joined and parted without a copy, in the layouts of oneDNN
// too; the channels of two are not.
func TestPartsInPlace(t *testing.T) {
	net := func(n, channels int) string {
		return fmt.Sprintf(`
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: %d dim: 16 dim: 6 dim: 6 } } }
layer { name: "a" type: "Convolution" bottom: "x" top: "a" convolution_param { num_output: %d kernel_size: 1 } }
layer { name: "b" type: "Convolution" bottom: "x" top: "b" convolution_param { num_output: 16 kernel_size: 3 pad: 1 } }
layer { name: "c" type: "Concat" bottom: "a" bottom: "b" top: "c" }
layer { name: "d" type: "Convolution" bottom: "c" top: "d" convolution_param { num_output: 16 kernel_size: 1 } }
layer { name: "e" type: "Concat" bottom: "c" bottom: "d" top: "e" }
layer { name: "f" type: "Convolution" bottom: "e" top: "f" loss_weight: 1 convolution_param { num_output: 16 kernel_size: 1 } }
`, n, channels)
	}
	for name, dev := range enginetest.Devices(t) {
		if name != "ref" && name != "cpu" {
			continue
		}
		if c, s := copies(t, dev, net(1, 32)); c != 0 || s != 0 {
			t.Errorf("%s: %d Concat and %d Slice for one picture", name, c, s)
		}
		if c, s := copies(t, dev, net(2, 32)); c != 2 || s != 2 {
			t.Errorf("%s: %d Concat and %d Slice for two pictures, want 2 of each", name, c, s)
		}
	}
}
