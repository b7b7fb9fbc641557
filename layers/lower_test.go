package layers_test

import (
	"slices"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// shapes are tops' and params' shapes that no golden has.
var shapes = []struct {
	shapes []string
	layer  string // what stands between `layer { name: "l" type: "` and `}`
	top    string
	params []string
}{
	// Figures of real Caffe: a convolution's would be 55, 14 and 112.
	{[]string{"1 1 112 112"}, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 3 stride: 2 }`, "1 1 56 56", nil},
	{[]string{"1 1 28 28"}, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 3 stride: 2 pad: 1 }`, "1 1 15 15", nil},
	{[]string{"1 1 224 224"}, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 7 stride: 2 pad: 3 }`, "1 1 113 113", nil},
	{[]string{"1 1 32 32"}, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 1 stride: 2 }`, "1 1 17 17", nil},
	// The last window would start in the padding: dropped.
	{[]string{"1 1 5 5"}, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 2 stride: 2 pad: 1 }`, "1 1 3 3", nil},
	// A window larger than the image hangs over its end.
	{[]string{"1 1 2 2"}, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 3 stride: 2 }`, "1 1 1 1", nil},
	{[]string{"1 1 9 8"}, `Pooling" bottom: "a" top: "y" pooling_param { kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 3 pad_h: 1 pad_w: 0 }`, "1 1 5 3", nil},
	{[]string{"1 1 112 112"}, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 3 stride: 2 round_mode: FLOOR }`, "1 1 55 55", nil},
	{[]string{"1 1 112 112"}, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 3 stride: 2 ceil_mode: false }`, "1 1 55 55", nil},
	{[]string{"1 1 112 112"}, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 3 stride: 2 ceil_mode: true }`, "1 1 56 56", nil},

	{[]string{"2 3 6 6"}, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 kernel_size: 2 stride: 1 stride: 2 pad: 0 pad: 1 }`, "2 4 4 4", []string{"4 3 3 2", "4"}},
	{[]string{"2 3 5 6 6"}, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 axis: 2 }`, "2 3 4 4 4", []string{"4 5 3 3", "4"}},
	{[]string{"2 3 6 6"}, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 axis: -3 force_nd_im2col: true }`, "2 4 4 4", []string{"4 3 3 3", "4"}},
	{[]string{"3 6 6"}, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 axis: 0 }`, "4 4 4", []string{"4 3 3 3", "4"}},
	{[]string{"2 3"}, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 }`, "2 4", []string{"4 3", "4"}},
	{[]string{"2 4 5"}, `Deconvolution" bottom: "a" top: "y" convolution_param { num_output: 6 group: 2 kernel_size: 3 stride: 2 pad: 1 dilation: 2 }`, "2 6 11", []string{"4 3 3", "6"}},

	{[]string{"2 3 4"}, `Scale" bottom: "a" top: "y" scale_param { num_axes: -1 bias_term: true }`, "2 3 4", []string{"3 4", "3 4"}},
	{[]string{"2 3 4"}, `Scale" bottom: "a" top: "y" scale_param { num_axes: 0 axis: 9 }`, "2 3 4", []string{""}},
	{[]string{"2 3 4", "2 3"}, `Scale" bottom: "a" bottom: "b" top: "y" scale_param { axis: 0 bias_term: true }`, "2 3 4", []string{"2 3"}},
	{[]string{"2 3 4"}, `Bias" bottom: "a" top: "y" bias_param { axis: -1 }`, "2 3 4", []string{"4"}},
	{[]string{"5"}, `BatchNorm" bottom: "a" top: "y"`, "5", []string{"1", "1", "1"}},
	{[]string{"2 3 4 5 6"}, `BatchNorm" bottom: "a" top: "y"`, "2 3 4 5 6", []string{"3", "3", "1"}},

	{[]string{"2 3", "2 3"}, `Concat" bottom: "a" bottom: "b" top: "y" concat_param { concat_dim: 0 }`, "4 3", nil},
	{[]string{"2 3"}, `Concat" bottom: "a" top: "y"`, "2 3", nil},
	{[]string{"4 3"}, `Slice" bottom: "a" top: "y" top: "z" slice_param { slice_dim: 0 slice_point: 1 }`, "1 3", nil},
	{[]string{"4 3"}, `Slice" bottom: "a" top: "y"`, "4 3", nil},
	{[]string{"2 3 4"}, `Reshape" bottom: "a" top: "y" reshape_param { shape { dim: 1 } axis: -1 num_axes: 0 }`, "2 3 4 1", nil},
	{[]string{"2 3 4"}, `Reshape" bottom: "a" top: "y" reshape_param { shape { dim: 1 dim: -1 } axis: 1 num_axes: 1 }`, "2 1 3 4", nil},
	{[]string{"2 3 4"}, `Reshape" bottom: "a" top: "y" reshape_param { shape { dim: 0 dim: -1 } }`, "2 12", nil},
	{[]string{"2 3 4"}, `Flatten" bottom: "a" top: "y" flatten_param { axis: -1 }`, "2 3 4", nil},
	{[]string{"2 3 4"}, `Flatten" bottom: "a" top: "y" flatten_param { axis: 0 end_axis: -2 }`, "6 4", nil},
	{[]string{"2 3 4"}, `Reduction" bottom: "a" top: "y" reduction_param { axis: -1 }`, "2 3", nil},
	{[]string{"2 5 3"}, `ArgMax" bottom: "a" top: "y" argmax_param { axis: -2 top_k: 2 }`, "2 2 3", nil},
	{[]string{"2 3"}, `MVN" bottom: "a" top: "y"`, "2 3 1 1", nil},
	{[]string{"2 3 9 11"}, `SPP" bottom: "a" top: "y" spp_param { pyramid_height: 1 }`, "2 3 1 1", nil},
	{[]string{"2 3 9 7"}, `SPP" bottom: "a" top: "y" spp_param { pyramid_height: 3 pool: AVE }`, "2 63", nil},
	{[]string{"2 3 6 7", "1 3 4 5"}, `Crop" bottom: "a" bottom: "b" top: "y"`, "2 3 4 5", nil},
	{[]string{"2 3 6 7", "1 3 6 7"}, `Crop" bottom: "a" bottom: "b" top: "y" crop_param { axis: 0 offset: 0 }`, "1 3 6 7", nil},
	{[]string{"2 3 6 7", "2 3 6 2"}, `Crop" bottom: "a" bottom: "b" top: "y" crop_param { axis: -1 offset: 5 }`, "2 3 6 2", nil},
	{[]string{"2 3 4"}, `Tile" bottom: "a" top: "y" tile_param { axis: -1 tiles: 2 }`, "2 3 8", nil},
	{[]string{"2 3 4"}, `Tile" bottom: "a" top: "y" tile_param { tiles: 1 }`, "2 3 4", nil},
	{nil, `MemoryData" top: "y" top: "z" memory_data_param { batch_size: 2 channels: 3 height: 4 width: 5 }`, "2 3 4 5", nil},
	{nil, `Parameter" top: "y" parameter_param { shape { dim: 2 dim: 3 } }`, "2 3", []string{"2 3"}},
	{[]string{"2 3", "2 3", "2"}, `ContrastiveLoss" bottom: "a" bottom: "b" bottom: "c" top: "y" contrastive_loss_param { legacy_version: true }`, "", nil},
	{[]string{"1 2 3 5", "1 2", "2 6"}, `LSTM" bottom: "a" bottom: "b" bottom: "c" top: "y" recurrent_param { num_output: 4 }`, "1 2 4", []string{"16 15", "16", "16 6", "16 4"}},
	{[]string{"7 2 3", "7 2", "2 6"}, `RNN" bottom: "a" bottom: "b" bottom: "c" top: "y" recurrent_param { num_output: 4 }`, "7 2 4", []string{"4 3", "4", "4 6", "4 4", "4 4", "4"}},
	{[]string{""}, `Embed" bottom: "a" top: "y" embed_param { num_output: 4 input_dim: 5 }`, "4", []string{"5 4", "4"}},
	{[]string{"5 2 3", "7"}, `BatchReindex" bottom: "a" bottom: "b" top: "y"`, "7 2 3", nil},
	{[]string{"2 3 4 5 6"}, `Im2col" bottom: "a" top: "y" convolution_param { kernel_size: 2 axis: 2 stride: 2 }`, "2 3 16 2 3", nil},
	{[]string{"3 7"}, `Im2col" bottom: "a" top: "y" convolution_param { kernel_size: 3 pad: 1 axis: 0 }`, "9 7", nil},
	{[]string{"2 3 4", "2 4"}, `InfogainLoss" bottom: "a" bottom: "b" top: "l" top: "y" infogain_loss_param { source: "h" }`, "2 3 4", nil},
	{[]string{"2 3 1 1", "2 1 1 1"}, `HingeLoss" bottom: "a" bottom: "b" top: "y"`, "", nil},
	{[]string{"5 3", "5 1 1"}, `Filter" bottom: "a" bottom: "b" top: "y"`, "5 3", nil}, // all, before anything is known
	{nil, `DummyData" top: "y" dummy_data_param { num: 2 channels: 3 height: 4 width: 5 }`, "2 3 4 5", nil},
}

func TestShapes(t *testing.T) {
	for _, c := range shapes {
		g, err := buildText(t, caffepb.Phase_TRAIN, c.shapes, `layer { name: "l" type: "`+c.layer+" }")
		if err != nil {
			t.Errorf("%s: %v", c.layer, err)
			continue
		}
		if got := g.Shape(g.Blobs["y"]).String(); got != c.top {
			t.Errorf("%s on %v: top has shape %s, want %s", c.layer, c.shapes, got, c.top)
		}
		uses := g.Uses[len(g.Layers)-1]
		if len(uses) != len(c.params) {
			t.Errorf("%s: %d params, want %v", c.layer, len(uses), c.params)
			continue
		}
		for i, want := range c.params {
			if got := uses[i].Shape.String(); got != want {
				t.Errorf("%s: param %d has shape %s, want %s", c.layer, i, got, want)
			}
		}
	}
}

// TestDefaultFillers checks the blobs that start at another number than 0 where
// the prototxt gives no filler.
func TestDefaultFillers(t *testing.T) {
	for layer, want := range map[string]float32{"Scale": 1, "PReLU": 0.25, "Bias": 0} {
		g, err := buildText(t, caffepb.Phase_TRAIN, []string{"2 3"}, `layer { name: "l" type: "`+layer+`" bottom: "a" top: "y" }`)
		check(t, err)
		if f := g.Params[0].Filler; f.GetType() != "constant" || f.GetValue() != want {
			t.Errorf("%s starts at %v, want %g", layer, f, want)
		}
	}
}

// TestDropoutPhases: a mask that the net draws while training, an alias while
// testing.
func TestDropoutPhases(t *testing.T) {
	const text = `layer { name: "l" type: "Dropout" bottom: "a" top: "a" dropout_param { dropout_ratio: 0.3 } }`
	g, err := buildText(t, caffepb.Phase_TRAIN, []string{"2 3"}, text)
	check(t, err)
	mask := g.Feeds[len(g.Feeds)-1]
	if mask.Kind != graph.FeedMask || mask.Ratio != 0.3 || !g.Shape(mask.Values[0]).Equal(engine.Shape{2, 3}) {
		t.Errorf("train: feed %+v, want a mask of 2 3 and ratio 0.3", mask)
	}
	if g, err = buildText(t, caffepb.Phase_TEST, []string{"2 3"}, text); err != nil {
		t.Fatal(err)
	}
	if len(g.Feeds) != 1 || len(g.Nodes) != 1 {
		t.Errorf("test: %d feeds and %d nodes, want the input and an alias", len(g.Feeds), len(g.Nodes))
	}
}

// TestDropoutOfForks: Fast R-CNN's scale_train multiplies while testing, SegNet's
// sample_weights_test draws a mask then.
func TestDropoutOfForks(t *testing.T) {
	x := []float32{1, -2, 3, 4}
	for _, c := range []struct {
		phase  caffepb.Phase
		fields string
		mask   []float32 // as the net draws it: 0 or 1/(1 − 0.75)
		want   []float32
	}{
		{caffepb.Phase_TRAIN, "scale_train: false", []float32{4, 0, 4, 0}, []float32{1, 0, 3, 0}},
		{caffepb.Phase_TEST, "scale_train: false", nil, []float32{0.25, -0.5, 0.75, 1}},
		{caffepb.Phase_TRAIN, "sample_weights_test: true", []float32{0, 4, 0, 4}, []float32{0, -8, 0, 16}},
		{caffepb.Phase_TEST, "sample_weights_test: true", []float32{0, 4, 0, 4}, []float32{0, -8, 0, 16}},
		{caffepb.Phase_TEST, "scale_train: true sample_weights_test: false", nil, x},
	} {
		g, err := buildText(t, c.phase, []string{"4"}, `layer { name: "l" type: "Dropout" bottom: "a" top: "y" dropout_param { dropout_ratio: 0.75 `+c.fields+` } }`)
		check(t, err)
		if drawn := len(g.Feeds) == 2; drawn != (c.mask != nil) {
			t.Errorf("%v %s: draws a mask: %v", c.phase, c.fields, drawn)
			continue
		}
		p, err := plan.Compile(g, enginetest.Devices(t)["ref"], plan.Options{Keep: []graph.Value{g.Blobs["y"]}})
		check(t, err)
		check(t, p.Feed(g.Blobs["a"], x))
		if c.mask != nil {
			check(t, p.Feed(g.Feeds[1].Values[0], c.mask))
		}
		check(t, p.Run(graph.Forward))
		got := make([]float32, 4)
		check(t, p.Fetch(g.Blobs["y"], got))
		if !slices.Equal(got, c.want) {
			t.Errorf("%v %s: %v, want %v", c.phase, c.fields, got, c.want)
		}
		check(t, p.Close())
	}
}

// TestDummyDataFillers: one filler and shape for all tops, or one for each.
func TestDummyDataFillers(t *testing.T) {
	g, err := buildText(t, caffepb.Phase_TRAIN, nil, `layer { name: "l" type: "DummyData" top: "x" top: "y" dummy_data_param {
		shape { dim: 2 dim: 3 } data_filler { type: "gaussian" } data_filler { value: 7 } } }`)
	check(t, err)
	f := g.Feeds[0]
	if f.Kind != graph.FeedFiller || len(f.Fillers) != 2 || f.Fillers[0].GetType() != "gaussian" || f.Fillers[1].GetValue() != 7 {
		t.Errorf("feed %+v", f)
	}
	for _, v := range f.Values {
		if !g.Shape(v).Equal(engine.Shape{2, 3}) {
			t.Errorf("top has shape %v, want 2 3", g.Shape(v))
		}
	}
}
