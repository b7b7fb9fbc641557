package layers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// buildText lowers a net of Input layers a, b, … of the given shapes, each on a
// line of its own, and the given layers behind them.
func buildText(t *testing.T, phase caffepb.Phase, shapes []string, text string) (*graph.Graph, error) {
	t.Helper()
	var net strings.Builder
	for i, shape := range shapes {
		name := string(rune('a' + i))
		fmt.Fprintf(&net, "layer { name: %q type: \"Input\" top: %q input_param { shape {", name, name)
		for _, d := range strings.Fields(shape) {
			fmt.Fprintf(&net, " dim: %s", d)
		}
		net.WriteString(" } } }\n")
	}
	file, err := proto.ParseNet("net.prototxt", []byte(net.String()+text))
	if err != nil {
		return nil, err
	}
	resolved, err := spec.Resolve(file.Net, file, &caffepb.NetState{Phase: phase.Enum()}, nil)
	if err != nil {
		return nil, err
	}
	return graph.Build(resolved.Layers, graph.Options{Lower: layers.Lower})
}

var (
	image = []string{"2 4 6 6"}
	pair  = []string{"2 4 6 6", "2 4 6 5"}
)

// broken is each layer, wrong in each way that it checks; the message is Caffe's
// where Caffe has one.
var broken = []struct {
	shapes []string
	layer  string // what stands between `layer { name: "l" type: "` and `}`
	want   string
}{
	{image, `Relu" bottom: "a" top: "y"`, `Unknown layer type: Relu, did you mean ReLU? (known types: AbsVal, `},
	{image, `ReLU" top: "y"`, `ReLU Layer takes 1 bottom blob(s) as input, not 0.`},
	{image, `ReLU" bottom: "a" top: "y" top: "z"`, `ReLU Layer takes 1 top blob(s) as output, not 2.`},
	{image, `Eltwise" bottom: "a" top: "y"`, `Eltwise Layer takes at least 2 bottom blob(s) as input, not 1.`},
	{image, `Scale" bottom: "a" bottom: "a" bottom: "a" top: "y"`, `Scale Layer takes at most 2 bottom blob(s) as input, not 3.`},
	{image, `ReLU" bottom: "a" top: "y" param { lr_mult: 1 }`, `Too many params specified for layer l`},

	{nil, `Input" top: "y" top: "z" top: "w" input_param { shape { dim: 1 } shape { dim: 2 } }`, `Must specify 'shape' once, once per top blob, or not at all`},
	{nil, `Data" top: "y" data_param { batch_size: 4 }`, `data_param.source must name a database`},
	{nil, `Data" top: "y" data_param { source: "db" }`, `Positive batch size required`},
	{nil, `Data" top: "y" data_param { source: "db" batch_size: 1 } transform_param { mean_file: "m" mean_value: 1 }`, `Cannot specify mean_file and mean_value at the same time`},
	{nil, `Data" top: "y" data_param { source: "db" batch_size: 1 } transform_param { force_color: true force_gray: true }`, `cannot set both 'force_color' and 'force_gray' true`},
	{nil, `ImageData" top: "y" top: "z"`, `image_data_param.source must name a list of images`},
	{nil, `ImageData" top: "y" top: "z" image_data_param { source: "l" batch_size: 0 }`, `Positive batch size required`},
	{nil, `ImageData" top: "y" top: "z" image_data_param { source: "l" new_width: 3 }`, `requires new_height and new_width to be set at the same time`},
	{nil, `ImageData" top: "y" image_data_param { source: "l" }`, `ImageData Layer takes 2 top blob(s) as output, not 1.`},
	{nil, `DummyData" top: "y"`, `Must specify 'shape' once, or once per top blob (1); specified 0.`},
	{nil, `DummyData" top: "y" dummy_data_param { num: 1 channels: 1 height: 1 }`, `Must specify 'width' once, or once per top blob (1); specified 0.`},
	{nil, `DummyData" top: "y" dummy_data_param { num: 1 shape { dim: 1 } }`, `Both shape and legacy fields were specified`},
	{nil, `DummyData" top: "y" top: "z" top: "w" dummy_data_param { shape { dim: 1 } data_filler { } data_filler { } }`, `Number of data fillers must be 0, 1 or equal to the number of tops: 3; you specified 2 data fillers.`},

	{image, `Convolution" bottom: "a" top: "y"`, `num_output must be positive`},
	{image, `Convolution" bottom: "a" top: "y" top: "z" convolution_param { num_output: 4 kernel_size: 3 }`, `Convolution Layer produces one top blob as output for each bottom blob input`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 }`, `kernel_size must be specified once, or once per spatial dimension (kernel_size specified 0 times; 2 spatial dims).`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 kernel_size: 3 kernel_size: 3 }`, `(kernel_size specified 3 times; 2 spatial dims)`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 kernel_h: 3 }`, `Either kernel_size or kernel_h/w should be specified; not both.`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 stride: 1 stride_h: 3 }`, `Either stride or stride_h/w should be specified; not both.`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 pad: 1 pad_w: 3 }`, `Either pad or pad_h/w should be specified; not both.`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_h: 3 }`, `Filter dimensions must be nonzero.`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 stride: 0 }`, `Stride dimensions must be nonzero.`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 dilation: 0 }`, `Dilation dimensions must be nonzero.`},
	{[]string{"2 4 6"}, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_h: 3 kernel_w: 3 }`, `kernel_h & kernel_w can only be used for 2D convolution`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 group: 0 }`, `group must be positive`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 4 kernel_size: 3 group: 3 }`, `Number of output should be multiples of group`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 3 kernel_size: 3 group: 3 }`, `the 4 channels of bottom a should be a multiple of group 3`},
	{pair, `Convolution" bottom: "a" bottom: "b" top: "y" top: "z" convolution_param { num_output: 3 kernel_size: 3 }`, `shape mismatch - bottom[0]: 2 4 6 6 vs. bottom[1]: 2 4 6 5`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 3 kernel_size: 7 }`, `kernel 7,7 does not fit in 2 4 6 6`},
	{image, `Convolution" bottom: "a" top: "y" convolution_param { num_output: 3 kernel_size: 1 axis: 4 }`, `axis 4 out of range for the 4 axes of bottom a`},
	{image, `Deconvolution" bottom: "a" top: "y" convolution_param { num_output: 3 kernel_size: 3 pad: 5 }`, `would have size -2: pad 5 is too large`},
	{image, `InnerProduct" bottom: "a" top: "y"`, `num_output must be positive`},
	{image, `InnerProduct" bottom: "a" top: "y" inner_product_param { num_output: 2 axis: -5 }`, `axis -5 out of range`},

	{image, `Pooling" bottom: "a" top: "y"`, `Filter size is kernel_size OR kernel_h and kernel_w; not both`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 2 kernel_h: 2 kernel_w: 2 }`, `Filter size is kernel_size OR kernel_h and kernel_w; not both`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { kernel_h: 2 }`, `For non-square filters both kernel_h and kernel_w are required.`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 0 }`, `Filter dimensions cannot be zero.`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 2 pad_h: 1 }`, `pad is pad OR pad_h and pad_w are required.`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 2 stride: 1 stride_h: 1 stride_w: 1 }`, `Stride is stride OR stride_h and stride_w are required.`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 2 stride: 0 }`, `Stride dimensions cannot be zero.`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 2 pad: 2 }`, `pad (2) must be smaller than the kernel (2)`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 2 global_pooling: true }`, `With Global_pooling: true Filter size cannot specified`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { global_pooling: true stride: 2 }`, `With Global_pooling: true; only pad = 0 and stride = 1`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 2 pool: STOCHASTIC }`, `Not Implemented Yet`},
	{image, `Pooling" bottom: "a" top: "y" top: "z" pooling_param { kernel_size: 2 pool: AVE }`, `only MAX pooling has a mask`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 2 ceil_mode: true round_mode: FLOOR }`, `contradicts round_mode: FLOOR`},
	{image, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 9 }`, `kernel 9 does not fit`},
	{[]string{"2 4 6"}, `Pooling" bottom: "a" top: "y" pooling_param { kernel_size: 2 }`, `Input must have 4 axes, corresponding to (num, channels, height, width)`},
	{image, `LRN" bottom: "a" top: "y" lrn_param { local_size: 4 }`, `LRN only supports odd values for local_size, not 4`},
	{[]string{"2 4"}, `LRN" bottom: "a" top: "y"`, `Input must have 4 axes`},

	{image, `BatchNorm" bottom: "a" top: "y" param { lr_mult: 1 }`, `Cannot configure batch normalization statistics as layer parameters`},
	{image, `Scale" bottom: "a" top: "y" scale_param { num_axes: -2 }`, `num_axes must be non-negative, or -1`},
	{image, `Scale" bottom: "a" top: "y" scale_param { axis: 2 num_axes: 3 }`, `extends past bottom[0]'s shape`},
	{pair, `Scale" bottom: "a" bottom: "b" top: "y" scale_param { axis: 0 }`, `dimension mismatch between bottom[0]->shape(3) = 6 and the second operand's shape(3) = 5`},
	{pair, `Bias" bottom: "a" bottom: "b" top: "y"`, `extends past bottom[0]'s shape`},
	{image, `Bias" bottom: "a" top: "y" bias_param { num_axes: -2 }`, `num_axes must be non-negative, or -1`},
	{[]string{"2"}, `PReLU" bottom: "a" top: "y"`, `Number of axes of bottom blob must be >=2`},
	{image, `AbsVal" bottom: "a" top: "a"`, `AbsVal Layer does not allow in-place computation`},
	{image, `Exp" bottom: "a" top: "y" exp_param { base: 0 }`, `base must be strictly positive`},
	{image, `Exp" bottom: "a" top: "y" exp_param { base: inf }`, `Inf result: log(base)`},
	{image, `Log" bottom: "a" top: "y" log_param { base: -2 }`, `base must be strictly positive`},
	{image, `Log" bottom: "a" top: "y" log_param { base: 1 }`, `Inf result: 1/log(base)`},
	{image, `Clip" bottom: "a" top: "y"`, `clip_param.min and clip_param.max are required`},
	{image, `Clip" bottom: "a" top: "y" clip_param { min: 1 max: 0 }`, `must not be larger`},
	{image, `Dropout" bottom: "a" top: "y" dropout_param { dropout_ratio: 1 }`, `dropout_ratio must be at least 0 and less than 1, not 1`},

	{image, `Softmax" bottom: "a" top: "y" softmax_param { axis: 4 }`, `axis 4 out of range`},
	{[]string{"2 4", "3"}, `SoftmaxWithLoss" bottom: "a" bottom: "b" top: "y"`, `The data and label should have the same first dimension`},
	{[]string{"2 4 3", "2"}, `SoftmaxWithLoss" bottom: "a" bottom: "b" top: "y"`, `Number of labels must match number of predictions; e.g., if softmax axis == 1 and prediction shape is (N, C, H, W), label count (number of labels) must be N*H*W`},
	{[]string{"2 4", "2"}, `SoftmaxWithLoss" bottom: "a" bottom: "b" top: "y" loss_weight: 1 loss_weight: 1`, `loss_weight must be unspecified or specified once per top blob.`},
	{[]string{"2 4", "2 3"}, `SigmoidCrossEntropyLoss" bottom: "a" bottom: "b" top: "y"`, `SIGMOID_CROSS_ENTROPY_LOSS layer inputs must have the same count`},
	{[]string{"2 4", "3 4"}, `SigmoidCrossEntropyLoss" bottom: "a" bottom: "b" top: "y"`, `The data and label should have the same first dimension`},
	{[]string{"2 4", "2 3"}, `EuclideanLoss" bottom: "a" bottom: "b" top: "y"`, `Inputs must have the same dimension`},
	{[]string{"2 4", "3 4"}, `EuclideanLoss" bottom: "a" bottom: "b" top: "y"`, `The data and label should have the same first dimension`},
	{[]string{"2 4", "3"}, `Accuracy" bottom: "a" bottom: "b" top: "y"`, `Number of labels must match number of predictions; e.g., if label axis == 1`},
	{[]string{"2 4", "2"}, `Accuracy" bottom: "a" bottom: "b" top: "y" accuracy_param { top_k: 5 }`, `top_k must be less than or equal to the number of classes`},
	{[]string{"2 4", "2"}, `Accuracy" bottom: "a" bottom: "b" top: "y" accuracy_param { top_k: 0 }`, `top_k must be positive`},

	{pair, `Eltwise" bottom: "a" bottom: "b" top: "y"`, `bottoms must have one shape: bottom[0] (a): 2 4 6 6, bottom[1] (b): 2 4 6 5`},
	{pair, `Eltwise" bottom: "a" bottom: "a" top: "y" eltwise_param { coeff: 1 }`, `Eltwise Layer takes one coefficient per bottom blob`},
	{pair, `Eltwise" bottom: "a" bottom: "a" top: "y" eltwise_param { operation: PROD coeff: 1 coeff: 2 }`, `Eltwise layer only takes coefficients for summation.`},
	{pair, `Concat" bottom: "a" bottom: "b" top: "y"`, `All inputs must have the same shape, except at concat_axis (1)`},
	{[]string{"2 4", "2"}, `Concat" bottom: "a" bottom: "b" top: "y"`, `All inputs must have the same #axes`},
	{pair, `Concat" bottom: "a" bottom: "b" top: "y" concat_param { axis: 3 concat_dim: 3 }`, `Either axis or concat_dim should be specified; not both.`},
	{image, `Slice" bottom: "a" top: "y" top: "z" top: "w"`, `Number of top blobs (3) should evenly divide input slice axis (4)`},
	{image, `Slice" bottom: "a" top: "y" top: "z" slice_param { slice_point: 1 slice_point: 2 }`, `2 slice_point for 2 tops`},
	{image, `Slice" bottom: "a" top: "y" top: "z" top: "w" slice_param { slice_point: 2 slice_point: 2 }`, `slice_point must increase from above 0: 2 after 2`},
	{image, `Slice" bottom: "a" top: "y" top: "z" slice_param { slice_point: 4 }`, `slice_point 4 lies outside slice axis 1 of size 4`},
	{image, `Slice" bottom: "a" top: "y" top: "z" slice_param { axis: 1 slice_dim: 1 }`, `Either axis or slice_dim should be specified; not both.`},
	{image, `Split" bottom: "a" top: "a"`, `Split Layer does not allow in-place computation`},
	{image, `Flatten" bottom: "a" top: "y" flatten_param { axis: 2 end_axis: 1 }`, `end_axis 1 comes before axis 2`},
	{image, `Reshape" bottom: "a" top: "y" reshape_param { shape { dim: -1 dim: -1 } }`, `new shape contains multiple -1 dims`},
	{image, `Reshape" bottom: "a" top: "y" reshape_param { shape { dim: -3 } }`, `dim -3: want a size`},
	{image, `Reshape" bottom: "a" top: "y" reshape_param { shape { dim: 2 } num_axes: -2 }`, `num_axes must be >= 0, or -1 for all`},
	{image, `Reshape" bottom: "a" top: "y" reshape_param { shape { dim: 2 } axis: 5 }`, `axis 5 out of range for 4-D input blob`},
	{image, `Reshape" bottom: "a" top: "y" reshape_param { shape { dim: 2 } axis: 3 num_axes: 2 }`, `end_axis = axis + num_axes is out of range`},
	{image, `Reshape" bottom: "a" top: "y" reshape_param { shape { dim: 0 dim: 0 dim: 0 dim: 0 dim: 0 } }`, `new shape contains a 0, but there was no corresponding bottom axis to copy`},
	{image, `Reshape" bottom: "a" top: "y" reshape_param { shape { dim: -1 dim: 5 } }`, `bottom count (288) must be divisible by the product of the specified dimensions (5)`},
	{image, `Reshape" bottom: "a" top: "y" reshape_param { shape { dim: 3 } }`, `output count must match input count`},
	{image, `ArgMax" bottom: "a" top: "y" argmax_param { top_k: 0 }`, `top k must not be less than 1.`},
	{image, `ArgMax" bottom: "a" top: "y" argmax_param { top_k: 5 axis: 1 }`, `top_k must be less than or equal to the dimension of the axis: 5 of 4.`},
	{image, `ArgMax" bottom: "a" top: "y" argmax_param { top_k: 145 }`, `top_k must be less than or equal to the dimension of the flattened bottom blob per instance`},
	{[]string{"1 2 3 4 5"}, `MVN" bottom: "a" top: "y"`, `Cannot use legacy accessors on Blobs with > 4 axes: the bottom has shape 1 2 3 4 5`},
	{image, `SPP" bottom: "a" top: "y"`, `spp_param.pyramid_height must be 1 to 30, not 0`},
	{image, `SPP" bottom: "a" top: "y" spp_param { pyramid_height: 2 pool: STOCHASTIC }`, `STOCHASTIC pooling is Not Implemented Yet`},
	{image, `SPP" bottom: "a" top: "y" spp_param { pyramid_height: 5 }`, `too small for 8 bins a side`},
	{[]string{"2 3"}, `SPP" bottom: "a" top: "y" spp_param { pyramid_height: 1 }`, `Input must have 4 axes`},
	{pair, `Crop" bottom: "a" bottom: "b" top: "y" crop_param { offset: 1 offset: 1 offset: 1 }`, `number of offset values specified must be equal to the number of dimensions following axis`},
	{pair, `Crop" bottom: "a" bottom: "b" top: "y" crop_param { offset: 1 }`, `the crop for dimension 2 is out-of-bounds with size 6 and offset 1`},
	{[]string{"2 4 6 6", "2 4"}, `Crop" bottom: "a" bottom: "b" top: "y"`, `bottom b has shape 2 4: want 4 axes`},
	{image, `Crop" bottom: "a" bottom: "a" top: "y" crop_param { axis: 4 }`, `axis 4 out of range`},
	{image, `Tile" bottom: "a" top: "y"`, `Number of tiles must be specified`},
	{image, `Tile" bottom: "a" top: "y" tile_param { tiles: 0 }`, `Number of tiles must be positive.`},
	{nil, `MemoryData" top: "y" top: "z" memory_data_param { batch_size: 2 channels: 3 height: 4 }`, `batch_size, channels, height, and width must be specified`},
	{[]string{"2 3", "2 4", "2"}, `ContrastiveLoss" bottom: "a" bottom: "b" bottom: "c" top: "y"`, `the features to compare must have shapes (N, C, 1, 1)`},
	{[]string{"2 3", "3 3", "2"}, `ContrastiveLoss" bottom: "a" bottom: "b" bottom: "c" top: "y"`, `should have the same first dimension`},
	{[]string{"2 3", "2 3", "2 2"}, `ContrastiveLoss" bottom: "a" bottom: "b" bottom: "c" top: "y"`, `one similarity flag for each of the 2 pairs: c has shape 2 2`},
	{nil, `Python" top: "y" python_param { module: "pascal" layer: "Loader" }`, `class "Loader" of module "pascal"`},
	{[]string{"5 2 3", "5 2"}, `LSTM" bottom: "a" bottom: "b" top: "y"`, `recurrent_param.num_output must be positive`},
	{[]string{"5 2 3", "5 2"}, `LSTM" bottom: "a" bottom: "b" top: "y" recurrent_param { num_output: 4 expose_hidden: true }`, `takes at least 4 bottom blob(s) as input, not 2`},
	{[]string{"5 2 3", "5 2"}, `RNN" bottom: "a" bottom: "b" bottom: "a" bottom: "b" top: "y" recurrent_param { num_output: 4 }`, `takes at most 3 bottom blob(s) as input, not 4`},
	{[]string{"5 2 3", "5 2", "1 2 4"}, `RNN" bottom: "a" bottom: "b" bottom: "c" top: "y" recurrent_param { num_output: 4 expose_hidden: true }`, `takes 2 top blob(s) as output, not 1`},
	{[]string{"5 2 3", "5 2", "1 2 5"}, `RNN" bottom: "a" bottom: "b" bottom: "c" top: "y" top: "h" recurrent_param { num_output: 4 expose_hidden: true }`, `bottom c, a state, must have shape 1 2 4`},
	{[]string{"5 2", "5 2"}, `LSTM" bottom: "a" bottom: "b" top: "y" recurrent_param { num_output: 4 }`, `must have at least 3 axes -- (#timesteps, #streams, ...)`},
	{[]string{"5 2 3", "5 3"}, `LSTM" bottom: "a" bottom: "b" top: "y" recurrent_param { num_output: 4 }`, `bottom b must have shape 5 2 -- (#timesteps, #streams)`},
	{[]string{"0 2 3", "0 2"}, `LSTM" bottom: "a" bottom: "b" top: "y" recurrent_param { num_output: 4 }`, `want at least one step of one stream`},
	{[]string{"5 2 3", "5 2", "3 2"}, `LSTM" bottom: "a" bottom: "b" bottom: "c" top: "y" recurrent_param { num_output: 4 }`, `the static input, must have 2 streams`},
	{[]string{"1 2 3", "1 2 8", "1 2"}, `LSTMUnit" bottom: "a" bottom: "b" bottom: "c" top: "y" top: "z"`, `want bottoms of shapes 1 N D, 1 N 4·D and 1 N`},
	{[]string{"5"}, `Embed" bottom: "a" top: "y" embed_param { input_dim: 3 }`, `EmbedLayer num_output must be positive.`},
	{[]string{"5"}, `Embed" bottom: "a" top: "y" embed_param { num_output: 3 }`, `EmbedLayer input_dim must be positive.`},
	{[]string{"5 2", "3 1"}, `BatchReindex" bottom: "a" bottom: "b" top: "y"`, `the indices must have one axis: bottom b has shape 3 1`},
	{image, `Im2col" bottom: "a" top: "y"`, `kernel_size must be specified once`},
	{image, `Im2col" bottom: "a" top: "y" convolution_param { kernel_size: 3 axis: 3 }`, `want at least one spatial axis behind channel axis 3`},
	{image, `Im2col" bottom: "a" top: "y" convolution_param { kernel_size: 7 }`, `does not fit`},
	{image, `Im2col" bottom: "a" top: "y" convolution_param { kernel_size: 3 kernel_h: 2 kernel_w: 2 }`, `Either kernel_size or kernel_h/w should be specified; not both.`},
	{[]string{"2 4", "3"}, `HingeLoss" bottom: "a" bottom: "b" top: "y"`, `The data and label should have the same first dimension`},
	{[]string{"2 4", "2 2"}, `HingeLoss" bottom: "a" bottom: "b" top: "y"`, `there must be one label for each of the 2 items: b has shape 2 2`},
	{[]string{"2 0", "2"}, `MultinomialLogisticLoss" bottom: "a" bottom: "b" top: "y"`, `there are no scores`},
	{[]string{"2 4", "2"}, `InfogainLoss" bottom: "a" bottom: "b" top: "y"`, `Infogain matrix source must be specified`},
	{[]string{"2 4", "2", "4 3"}, `InfogainLoss" bottom: "a" bottom: "b" bottom: "c" top: "y"`, `H must be 4x4: c has shape 4 3`},
	{[]string{"2 4", "3", "4 4"}, `InfogainLoss" bottom: "a" bottom: "b" bottom: "c" top: "y"`, `The data and label should have the same first dimension`},
	{[]string{"2 4", "2", "4 4"}, `InfogainLoss" bottom: "a" bottom: "b" bottom: "c" top: "y" loss_param { normalize: true }`, `normalize is deprecated. use "normalization"`},
	{nil, `HDF5Data" top: "y" hdf5_data_param { source: "s" }`, `Positive batch size required`},
	{nil, `HDF5Data" top: "y" hdf5_data_param { batch_size: 2 }`, `hdf5_data_param.source must name a list of HDF5 files`},
	{nil, `HDF5Data" top: "y" hdf5_data_param { source: "s" batch_size: 2 } transform_param { scale: 2 }`, `HDF5Data does not transform data.`},
	{pair, `HDF5Output" bottom: "a" bottom: "b"`, `hdf5_output_param.file_name must name the file to write`},
	{[]string{"2 3", "3"}, `HDF5Output" bottom: "a" bottom: "b" hdf5_output_param { file_name: "f" }`, `data blob and label blob must have the same batch size`},
	{[]string{"2 3 1 1 1", "2"}, `HDF5Output" bottom: "a" bottom: "b" hdf5_output_param { file_name: "f" }`, `Cannot use legacy accessors`},
	{nil, `WindowData" top: "y" top: "z" window_data_param { batch_size: 2 } transform_param { crop_size: 2 }`, `window_data_param.source must name a window file`},
	{nil, `WindowData" top: "y" top: "z" window_data_param { source: "s" } transform_param { crop_size: 2 }`, `Positive batch size required`},
	{nil, `WindowData" top: "y" top: "z" window_data_param { source: "s" batch_size: 2 }`, `transform_param.crop_size must be positive`},
	{nil, `WindowData" top: "y" top: "z" window_data_param { source: "s" batch_size: 2 crop_mode: "round" } transform_param { crop_size: 2 }`, `crop_mode "round": want "warp" or "square"`},
	{[]string{"2 3", "2"}, `Filter" bottom: "a" bottom: "b" top: "y" top: "z"`, `2 tops, want 1`},
	{[]string{"2 3", "2 2"}, `Filter" bottom: "a" bottom: "b" top: "y"`, `Selector blob dimensions must be singletons (1), except the first: b has shape 2 2`},
	{[]string{"2 3", "3 1"}, `Filter" bottom: "a" bottom: "b" top: "y"`, `Each bottom should have the same 0th dimension as the selector blob`},
	{image, `Reduction" bottom: "a" top: "y" reduction_param { axis: 4 }`, `axis 4 out of range`},
}

// TestErrors checks message and place of each error.
func TestErrors(t *testing.T) {
	for _, c := range broken {
		text := `layer { name: "l" type: "` + c.layer + " }\n"
		_, err := buildText(t, caffepb.Phase_TRAIN, c.shapes, text)
		if err == nil {
			t.Errorf("%s: no error, want %q", c.layer, c.want)
			continue
		}
		if msg := err.Error(); !strings.Contains(msg, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.layer, msg, c.want)
		}
		place := fmt.Sprintf("net.prototxt:%d: layer \"l\" (", len(c.shapes)+1)
		if msg := err.Error(); !strings.HasPrefix(msg, place) {
			t.Errorf("%s: %s does not start with %s", c.layer, msg, place)
		}
	}
}

// TestErrorNamesTheField checks that an error points at the line of the field
// that is wrong, not at the layer's.
func TestErrorNamesTheField(t *testing.T) {
	_, err := buildText(t, caffepb.Phase_TRAIN, []string{"2 3 4 4"}, `layer {
  name: "pool1" type: "Pooling"
  bottom: "a" top: "y"
  pooling_param {
    kernel_size: 2
    pad: 3
  }
}`)
	if err == nil || !strings.HasPrefix(err.Error(), `net.prototxt:7: layer "pool1" (Pooling): `) {
		t.Errorf("got %v", err)
	}
}

// TestAllErrorsAtOnce checks that independent errors are reported together, and
// those that follow from others are not.
func TestAllErrorsAtOnce(t *testing.T) {
	_, err := buildText(t, caffepb.Phase_TRAIN, []string{"2 3 4 4"}, `
layer { name: "c1" type: "Convolution" bottom: "a" top: "c1" }
layer { name: "r1" type: "ReLU" bottom: "c1" top: "r1" }
layer { name: "d1" type: "Dropout" bottom: "a" top: "d1" dropout_param { dropout_ratio: -1 } }
`)
	if err == nil {
		t.Fatal("no error")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 2 || !strings.Contains(lines[0], `"c1"`) || !strings.Contains(lines[1], `"d1"`) {
		t.Errorf("got %v", err)
	}
}
