package layers_test

import (
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/internal/npz"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// ownGoldens holds one-layer nets and what Caffe computed with them, forkGoldens
// what its forks computed with layers of theirs.
var (
	ownGoldens  = filepath.Join("..", "testdata", "golden", "layers")
	forkGoldens = filepath.Join("..", "testdata", "golden", "fork_layers")
)

// TestGoldenLayers runs each net of the golden folder on each engine, forward and
// backward, and compares everything that Caffe wrote down; again without fusion
// and without reuse of memory.
func TestGoldenLayers(t *testing.T) {
	devices := enginetest.Devices(t)
	dirs := []string{ownGoldens, forkGoldens}
	if dir := os.Getenv("GOCAFFE_GOLDEN_LAYERS"); dir != "" {
		dirs = []string{dir}
	}
	for _, dir := range dirs {
		for _, name := range goldenNames(t, dir) {
			t.Run(name, func(t *testing.T) {
				c := readCase(t, dir, name)
				for _, engineName := range slices.Sorted(maps.Keys(devices)) {
					t.Run(engineName, func(t *testing.T) { c.testOn(t, devices[engineName]) })
				}
			})
		}
	}
}

// goldenNames lists the cases of a folder of goldens.
func goldenNames(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.prototxt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no case in %s", dir)
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".prototxt"))
	}
	return names
}

// goldenCase is one net with Caffe's inputs and results.
type goldenCase struct {
	file   *proto.NetFile
	phase  caffepb.Phase
	arrays map[string]npz.Array // "in/<blob>", "param/<i>", "out/<top>" …
}

func readCase(t *testing.T, dir, name string) *goldenCase {
	t.Helper()
	base := filepath.Join(dir, name)
	file, err := proto.ReadNet(base + ".prototxt")
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := npz.Read(base + ".npz")
	if err != nil {
		t.Fatal(err)
	}
	c := &goldenCase{file: file, arrays: arrays, phase: caffepb.Phase_TRAIN}
	if strings.Contains(name, "test") {
		c.phase = caffepb.Phase_TEST
	}
	l := c.layer()
	if len(c.under("top_diff")) > 0 {
		l.LossWeight = nil // its gradient is given
	}
	return c
}

// layer is the layer under test.
func (c *goldenCase) layer() *caffepb.LayerParameter {
	for _, l := range c.file.Net.GetLayer() {
		if l.GetName() == "layer" {
			return l
		}
	}
	return &caffepb.LayerParameter{}
}

// under is the arrays of one kind, by what stands behind the slash.
func (c *goldenCase) under(kind string) map[string]npz.Array {
	out := map[string]npz.Array{}
	for name, a := range c.arrays {
		if rest, ok := strings.CutPrefix(name, kind+"/"); ok {
			out[rest] = a
		}
	}
	return out
}

// testOn compares the case with and without the plan's optimisations.
func (c *goldenCase) testOn(t *testing.T, dev engine.Device) {
	got := c.run(t, dev, plan.Options{})
	for name, a := range got {
		if want, ok := c.arrays[name]; !ok {
			t.Errorf("computed %s, which the golden lacks", name)
		} else {
			sameArray(t, name, a, want, 1e-4)
		}
	}
	for what, o := range map[string]plan.Options{"without fusion": {NoFuse: true}, "without reuse": {NoReuse: true}} {
		for name, a := range c.run(t, dev, o) {
			sameArray(t, name+" "+what, a, got[name], 1e-5)
		}
	}
}

// run gives what the case's net computes, under the names of the golden.
func (c *goldenCase) run(t *testing.T, dev engine.Device, o plan.Options) map[string]npz.Array {
	t.Helper()
	g := c.build(t)
	want := c.results(t, g)
	for _, v := range want {
		if v != graph.None {
			o.Keep = append(o.Keep, v)
		}
	}
	p, err := plan.Compile(g, dev, o)
	check(t, err)
	defer func() { check(t, p.Close()) }()
	c.feed(t, g, p)
	check(t, p.Run(graph.Forward))
	got := map[string]npz.Array{}
	for name, v := range want {
		if strings.HasPrefix(name, "out/") || strings.HasPrefix(name, "param_after/") {
			got[name] = fetch(t, g, p, v)
		}
	}
	check(t, p.Run(graph.Backward))
	for name, v := range want {
		if _, done := got[name]; done {
			continue
		}
		if v == graph.None { // no gradient reaches it
			a := c.arrays[name]
			got[name] = npz.Array{Shape: a.Shape, Data: make([]float32, a.Count())}
			continue
		}
		got[name] = fetch(t, g, p, v)
	}
	return got
}

// build lowers the net, with gradients where the golden has any.
func (c *goldenCase) build(t *testing.T) *graph.Graph {
	t.Helper()
	net, err := spec.Resolve(c.file.Net, c.file, &caffepb.NetState{Phase: c.phase.Enum()}, nil)
	check(t, err)
	g, err := graph.Build(net.Layers, graph.Options{Name: net.Filtered.GetName(), Lower: layers.Lower, Selected: c.selected(net.Layers)})
	check(t, err)
	check(t, graph.Differentiate(g, graph.GradOptions{Force: c.file.Net.GetForceBackward(), SeedTops: true}))
	check(t, g.Verify())
	return g
}

// selected counts what a Filter layer forwards; its selector is an input. Of
// detections it counts the rows.
func (c *goldenCase) selected(list []*spec.Layer) map[*spec.Layer]int {
	l := list[slices.IndexFunc(list, func(l *spec.Layer) bool { return l.GetName() == c.layer().GetName() })]
	if rows := c.under("out")["out0"]; strings.HasPrefix(l.GetType(), "Detection") {
		return map[*spec.Layer]int{l: rows.Shape[2]}
	}
	if l.GetType() != "Filter" {
		return nil
	}
	count := 0
	for _, v := range c.under("in")[l.GetBottom()[len(l.GetBottom())-1]].Data {
		if v != 0 {
			count++
		}
	}
	return map[*spec.Layer]int{l: count}
}

// results are the values that the golden has numbers for.
func (c *goldenCase) results(t *testing.T, g *graph.Graph) map[string]graph.Value {
	t.Helper()
	want := map[string]graph.Value{}
	for name := range c.under("out") {
		want["out/"+name] = blob(t, g, name)
	}
	for name := range c.under("bottom_diff") {
		want["bottom_diff/"+name] = graph.None
		if v, ok := g.Grads[blob(t, g, name)]; ok {
			want["bottom_diff/"+name] = v
		}
	}
	for i := range c.under("param_after") {
		want["param_after/"+i] = param(t, g, i).Value
	}
	for i := range c.under("param_diff") {
		want["param_diff/"+i] = param(t, g, i).Grad
	}
	return want
}

// feed sets the inputs, the params and the tops' gradients.
func (c *goldenCase) feed(t *testing.T, g *graph.Graph, p *plan.Plan) {
	t.Helper()
	for _, prm := range g.Params {
		fill(t, g, p, prm.Value, prm.Filler)
	}
	for _, f := range g.Feeds {
		for i, filler := range f.Fillers {
			fill(t, g, p, f.Values[i], filler)
		}
	}
	store := func(v graph.Value, a npz.Array, what string) {
		if !g.Shape(v).Equal(a.Shape) {
			t.Fatalf("%s has shape %v, Caffe's has %v", what, g.Shape(v), a.Shape)
		}
		check(t, p.Store(v, a.Data))
	}
	for name, a := range c.under("in") {
		store(blob(t, g, name), a, name)
	}
	for i, a := range c.under("param") {
		store(param(t, g, i).Value, a, "param "+i)
	}
	for _, seed := range g.Seeds {
		check(t, p.Feed(seed, make([]float32, g.Shape(seed).Count())))
	}
	for name, a := range c.under("top_diff") {
		seed, ok := g.Seeds[blob(t, g, name)]
		if !ok {
			t.Fatalf("top %s takes no gradient", name)
		}
		store(seed, a, "gradient of "+name)
	}
}

// fill is what a net does with a constant filler; others are random and come
// from the golden.
func fill(t *testing.T, g *graph.Graph, p *plan.Plan, v graph.Value, f *caffepb.FillerParameter) {
	t.Helper()
	data := make([]float32, g.Shape(v).Count())
	if f.GetType() == "constant" {
		for i := range data {
			data[i] = f.GetValue()
		}
	}
	check(t, p.Store(v, data))
}

func blob(t *testing.T, g *graph.Graph, name string) graph.Value {
	t.Helper()
	v, ok := g.Blobs[name]
	if !ok {
		t.Fatalf("the net has no blob %s", name)
	}
	return v
}

// param is blob i of the layer under test.
func param(t *testing.T, g *graph.Graph, i string) graph.Param {
	t.Helper()
	n, err := strconv.Atoi(i)
	check(t, err)
	for at, l := range g.Layers {
		if l.GetName() == "layer" && n < len(g.Uses[at]) {
			return g.Params[g.Uses[at][n].Param]
		}
	}
	t.Fatalf("the layer has no blob %d", n)
	return graph.Param{}
}

func fetch(t *testing.T, g *graph.Graph, p *plan.Plan, v graph.Value) npz.Array {
	t.Helper()
	a := npz.Array{Shape: g.Shape(v), Data: make([]float32, g.Shape(v).Count())}
	check(t, p.Fetch(v, a.Data))
	return a
}

// sameArray compares shapes, and elements to |a−b| ≤ tolerance·max(1, |b|).
func sameArray(t *testing.T, name string, got, want npz.Array, tolerance float64) {
	t.Helper()
	if !slices.Equal(got.Shape, want.Shape) {
		t.Errorf("%s has shape %v, want %v", name, got.Shape, want.Shape)
		return
	}
	for i, w := range want.Data {
		diff := math.Abs(float64(got.Data[i]) - float64(w))
		if !(diff <= tolerance*max(1, math.Abs(float64(w)))) {
			t.Errorf("%s: element %d is %g, want %g", name, i, got.Data[i], w)
			return
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
