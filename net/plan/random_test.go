package plan_test

import (
	"fmt"
	"math"
	"math/rand"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
)

// randomNet writes a small net of random layers: a trunk with branches that
// meet again in Eltwise or Concat, then a classifier and a loss. No two layers
// share a blob's name, so that resolve needs no versions.
func randomNet(r *rand.Rand) string {
	w := &netWriter{r: r}
	n, c := 1+r.Intn(3), []int{1, 3, 4, 16, 20}[r.Intn(5)]
	w.addf(`layer { name: "x" type: "Input" top: "x" input_param { shape { dim: %d dim: %d dim: 9 dim: 11 } } }`, n, c)
	w.addf(`layer { name: "label" type: "Input" top: "label" input_param { shape { dim: %d } } }`, n)
	top := "x"
	for range 3 + r.Intn(4) {
		top = w.block(top)
	}
	top = w.layer("InnerProduct", top, "inner_product_param { num_output: 5 }")
	w.addf(`layer { name: "loss" type: "SoftmaxWithLoss" bottom: %q bottom: "label" top: "loss" }`, top)
	return w.String()
}

type netWriter struct {
	strings.Builder
	r *rand.Rand
	n int
}

func (w *netWriter) addf(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *netWriter) layer(typ, bottom, param string) string {
	w.n++
	top := fmt.Sprintf("b%d", w.n)
	w.addf(`layer { name: "l%d" type: %q bottom: %q top: %q %s }`, w.n, typ, bottom, top, param)
	return top
}

func (w *netWriter) join(typ string, bottoms ...string) string {
	w.n++
	top := fmt.Sprintf("b%d", w.n)
	w.addf(`layer { name: "l%d" type: %q bottom: "%s" top: %q }`, w.n, typ, strings.Join(bottoms, `" bottom: "`), top)
	return top
}

// conv keeps the image's size, so that branches fit together.
func (w *netWriter) conv(bottom string, out int) string {
	k := []int{1, 3}[w.r.Intn(2)]
	return w.layer("Convolution", bottom, fmt.Sprintf("convolution_param { num_output: %d kernel_size: %d pad: %d bias_term: %v }", out, k, k/2, w.r.Intn(2) == 0))
}

func (w *netWriter) relu(bottom string) string {
	return w.layer("ReLU", bottom, fmt.Sprintf("relu_param { negative_slope: %g }", []float64{0, 0.1}[w.r.Intn(2)]))
}

// norm is a BatchNorm and a Scale, which may lack its shift or not learn its factor.
func (w *netWriter) norm(bottom string) string {
	lr := []string{"", "param { lr_mult: 0 }"}[w.r.Intn(4)/3]
	return w.layer("Scale", w.layer("BatchNorm", bottom, ""), fmt.Sprintf("%s scale_param { bias_term: %v }", lr, w.r.Intn(3) > 0))
}

func (w *netWriter) block(top string) string {
	out := []int{4, 8, 16, 20, 32}[w.r.Intn(5)]
	switch w.r.Intn(9) {
	case 0:
		return w.relu(w.conv(top, out))
	case 1:
		return w.relu(w.norm(w.conv(top, out)))
	case 2:
		a, b := w.conv(top, out), w.relu(w.conv(top, out))
		return w.relu(w.join("Eltwise", a, b))
	case 3:
		return w.join("Concat", w.relu(w.conv(top, out)), w.layer("Pooling", top, "pooling_param { pool: MAX kernel_size: 3 pad: 1 stride: 1 }"))
	case 4:
		pool := []string{"MAX", "AVE"}[w.r.Intn(2)]
		return w.layer("Pooling", top, fmt.Sprintf("pooling_param { pool: %s kernel_size: 3 stride: 2 pad: %d }", pool, w.r.Intn(2)))
	case 5:
		return w.layer("LRN", w.conv(top, out), "lrn_param { local_size: 3 alpha: 0.1 }")
	case 7:
		return w.relu(w.join("Eltwise", w.conv(top, out), w.norm(w.conv(top, out))))
	case 6:
		return w.layer("TanH", w.layer("PReLU", w.conv(top, out), ""), "")
	}
	return w.relu(w.layer("Deconvolution", top, fmt.Sprintf("convolution_param { num_output: %d kernel_size: 2 stride: 1 }", out)))
}

// TestRandomNets trains random nets for two steps: every engine, fused and not,
// with and without reuse of memory, ends with the same weights.
func TestRandomNets(t *testing.T) {
	devices := enginetest.Devices(t)
	for seed := range int64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			text := randomNet(rand.New(rand.NewSource(seed)))
			want := trainOn(t, devices["ref"], text, plan.Options{NoFuse: true, NoReuse: true})
			for name, dev := range devices {
				for _, o := range []plan.Options{{}, {NoFuse: true}, {NoReuse: true}} {
					got := trainOn(t, dev, text, o)
					if msg := differ(want, got, 2e-3); msg != "" {
						t.Fatalf("%s, fuse %v, reuse %v: %s\n%s", name, !o.NoFuse, !o.NoReuse, msg, text)
					}
				}
			}
		})
	}
}

// TestRandomNetsTF32: with the layouts and the fusions that tf32 brings, nets have the weights
// that they have without. From ref's most differ by what rounding factors to 10 bits does; a
// ReLU or a maximum that goes the other way makes more of it.
func TestRandomNetsTF32(t *testing.T) {
	dev := enginetest.OpenOrSkip(t, "cuda", engine.Config{Precision: engine.PrecisionTF32})
	ref := enginetest.Devices(t)["ref"]
	for seed := range int64(40) {
		text := randomNet(rand.New(rand.NewSource(seed)))
		want := trainOn(t, dev, text, plan.Options{NoFuse: true, NoReuse: true})
		if far, all := apart(trainOn(t, ref, text, plan.Options{}), want, 0.02); far > all/50 {
			t.Errorf("seed %d: %d of %d weights are far from ref's\n%s", seed, far, all, text)
		}
		for _, o := range []plan.Options{{}, {NoFuse: true}, {NoReuse: true}} {
			if msg := differ(want, trainOn(t, dev, text, o), 2e-3); msg != "" {
				t.Errorf("seed %d, fuse %v, reuse %v: %s\n%s", seed, !o.NoFuse, !o.NoReuse, msg, text)
			}
		}
	}
}

// differ compares within a share of the largest entry: the two steps of training
// amplify rounding.
func differ(want, got [][]float32, tolerance float64) string {
	for i := range want {
		largest := magnitude(want[i])
		for j := range want[i] {
			if d := math.Abs(float64(got[i][j] - want[i][j])); !(d <= tolerance*largest) {
				return fmt.Sprintf("tensor %d[%d] is %g, want %g", i, j, got[i][j], want[i][j])
			}
		}
	}
	return ""
}

// apart counts the entries that differ by more than a share of the largest.
func apart(want, got [][]float32, tolerance float64) (far, all int) {
	for i := range want {
		largest := magnitude(want[i])
		for j := range want[i] {
			if !(math.Abs(float64(got[i][j]-want[i][j])) <= tolerance*largest) {
				far++
			}
		}
		all += len(want[i])
	}
	return far, all
}

// magnitude is that of the largest entry, or what is taken for zero.
func magnitude(list []float32) float64 {
	largest := 1e-2
	for _, v := range list {
		largest = max(largest, math.Abs(float64(v)))
	}
	return largest
}

// trainOn gives the params after two steps, and the loss.
func trainOn(t *testing.T, dev engine.Device, text string, o plan.Options) [][]float32 {
	t.Helper()
	params, _ := trainSteps(t, dev, text, o, 2)
	return params
}

// trainSteps gives the params after some steps, and the loss, and whether the last steps
// were replayed from a recording.
func trainSteps(t *testing.T, dev engine.Device, text string, o plan.Options, steps int) (params [][]float32, replayed bool) {
	t.Helper()
	g, err := graph.Build(resolve(t, text), graph.Options{Lower: layers.Lower})
	must(t, err)
	must(t, graph.Differentiate(g, graph.GradOptions{}))
	u, err := graph.AddUpdate(g, graph.UpdateOptions{Rule: engine.SGD, Momentum: 0.9, WeightDecay: 0.01})
	must(t, err)
	p, err := plan.Compile(g, dev, o)
	must(t, err)
	defer p.Close()

	r := rand.New(rand.NewSource(7))
	for _, prm := range g.Params {
		must(t, p.Store(prm.Value, random(r, g.Shape(prm.Value).Count())))
	}
	must(t, p.Store(u.Hyper, []float32{1e-3, 1, 1, 1}))
	for range steps {
		for _, f := range g.Feeds {
			data := random(r, g.Shape(f.Values[0]).Count())
			if g.Layers[f.Layer].GetName() == "label" {
				for i := range data {
					data[i] = float32(r.Intn(5))
				}
			}
			must(t, p.Feed(f.Values[0], data))
		}
		must(t, p.Run(graph.Forward, graph.Backward, graph.ApplyUpdate))
	}
	return fetchAll(t, g, p), p.Replays(graph.Forward, graph.Backward, graph.ApplyUpdate)
}

func fetchAll(t *testing.T, g *graph.Graph, p *plan.Plan) [][]float32 {
	t.Helper()
	var out [][]float32
	for _, prm := range g.Params {
		w := make([]float32, g.Shape(prm.Value).Count())
		must(t, p.Fetch(prm.Value, w))
		out = append(out, w)
	}
	loss := make([]float32, 1)
	must(t, p.Fetch(g.Loss, loss))
	return append(out, loss)
}
