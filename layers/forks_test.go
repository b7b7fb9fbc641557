package layers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine/enginetest"
	"github.com/gocaffe/gocaffe/net/plan"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// TestL1Loss: Σ |a − b|/N, and the signs of the differences over N.
func TestL1Loss(t *testing.T) {
	for name, dev := range enginetest.Devices(t) {
		r := runText(t, dev, plan.Options{}, []string{"2 2", "2 2"}, `layer { name: "l" type: "L1Loss" bottom: "a" bottom: "b" top: "y" loss_weight: 3 }`)
		r.set("a", []float32{1, -2, 0.5, 4})
		r.set("b", []float32{0, 1, 0.5, 6})
		r.run()
		if got := r.blob("y"); got[0] != 3 {
			t.Errorf("%s: loss is %g, want (1 + 3 + 0 + 2)/2", name, got[0])
		}
		if got, want := r.diff("a"), []float32{1.5, -1.5, 0, -1.5}; !slices.Equal(got, want) {
			t.Errorf("%s: gradient is %v, want %v", name, got, want)
		}
	}
}

// TestReLU6Slope: jolibrain's layer with a slope below 0.
func TestReLU6Slope(t *testing.T) {
	for name, dev := range enginetest.Devices(t) {
		r := runText(t, dev, plan.Options{}, []string{"5"}, `layer { name: "l" type: "ReLU6" bottom: "a" top: "y" relu_param { negative_slope: 0.5 } }`)
		r.set("a", []float32{-20, -1, 2, 6.5, 8})
		r.seed("y", []float32{1, 2, 3, 4, 5})
		r.run()
		if got, want := r.blob("y"), []float32{-10, -0.5, 2, 6, 6}; !slices.Equal(got, want) {
			t.Errorf("%s: top is %v, want %v", name, got, want)
		}
		if got, want := r.diff("a"), []float32{0.5, 1, 3, 0, 0}; !slices.Equal(got, want) {
			t.Errorf("%s: gradient is %v, want %v", name, got, want)
		}
	}
}

// TestDepthwiseConvolution: it computes what a grouped Convolution does.
func TestDepthwiseConvolution(t *testing.T) {
	dev := enginetest.Devices(t)["ref"]
	var tops [][]float32
	for _, typ := range []string{"Convolution", "DepthwiseConvolution"} {
		r := runText(t, dev, plan.Options{}, []string{"1 3 5 5"}, `layer { name: "l" type: "`+typ+`" bottom: "a" top: "y" convolution_param { num_output: 3 group: 3 kernel_size: 3 } }`)
		x := make([]float32, 75)
		for i := range x {
			x[i] = float32(i%7) - 3
		}
		r.set("a", x)
		r.setParams()
		r.run()
		tops = append(tops, r.blob("y"))
	}
	if !slices.Equal(tops[0], tops[1]) {
		t.Errorf("DepthwiseConvolution gives %v, Convolution %v", tops[1], tops[0])
	}
}

// TestReorgReverse: channel (i·stride + j)·C + c of a pixel is row i, column j of
// its block in channel c.
func TestReorgReverse(t *testing.T) {
	r := runText(t, enginetest.Devices(t)["ref"], plan.Options{}, []string{"1 8 1 1"},
		`layer { name: "l" type: "Reorg" bottom: "a" top: "y" reorg_param { stride: 2 reverse: true } }`)
	r.set("a", []float32{0, 1, 2, 3, 4, 5, 6, 7})
	r.run()
	if got, want := r.blob("y"), []float32{0, 2, 4, 6, 1, 3, 5, 7}; !slices.Equal(got, want) {
		t.Errorf("top is %v, want %v", got, want)
	}
}

// TestForkShapes covers tops that the goldens lack.
func TestForkShapes(t *testing.T) {
	for _, c := range []struct {
		shapes      []string
		layer, want string
	}{
		{[]string{"1 2 4 5", "1 7 9 8"}, `Interp" bottom: "a" bottom: "b" top: "y" interp_param { use_blob_size: true }`, "1 2 9 8"},
		{[]string{"1 2 9 9"}, `Interp" bottom: "a" top: "y" interp_param { shrink_factor: 2 zoom_factor: 3 }`, "1 2 13 13"},
		{[]string{"2 3 4 4"}, `CropCenter" bottom: "a" top: "y" crop_center_param { crop_size: 0 crop_size: 1 }`, "2 1 4 4"},
		{[]string{"2 3 4 4", "2 3 4 4"}, `Upsample" bottom: "a" bottom: "b" top: "y" upsample_param { scale_h: 2 scale_w: 3 }`, "2 3 8 12"},
		{[]string{"2 6 4 4"}, `BN" bottom: "a" top: "y" param { } param { } param { } param { }`, "2 6 4 4"},
	} {
		g, err := buildText(t, caffepb.Phase_TEST, c.shapes, `layer { name: "l" type: "`+c.layer+" }")
		if err != nil {
			t.Errorf("%s: %v", c.layer, err)
			continue
		}
		if got := g.Shape(g.Blobs["y"]).String(); got != c.want {
			t.Errorf("%s: top has shape %s, want %s", c.layer, got, c.want)
		}
	}
}

// TestForkErrors: what the forks' layers refuse, and why.
func TestForkErrors(t *testing.T) {
	pair, boxes := []string{"2 4 6 6", "2 4 6 6"}, []string{"1 8", "1 4", "1 2 8", "1 1 3 8"}
	for _, c := range []struct {
		shapes      []string
		layer, says string
	}{
		{image, `Permute" bottom: "a" top: "y" permute_param { order: 1 order: 1 }`, "duplicate orders: axis 1"},
		{image, `Permute" bottom: "a" top: "y" permute_param { order: 4 }`, "less than the input dimension"},
		{image, `ShuffleChannel" bottom: "a" top: "y" shuffle_channel_param { group: 3 }`, "multiple of group 3"},
		{image, `ShuffleChannel" bottom: "a" top: "y" shuffle_channel_param { group: 0 }`, "greater than 0"},
		{image, `Reorg" bottom: "a" top: "y"`, "stride must be set"},
		{image, `Reorg" bottom: "a" top: "y" reorg_param { stride: 4 }`, "multiple of stride² = 16"},
		{nil, `DenseImageData" top: "y" top: "z"`, "source must name a list of images and label images"},
		{nil, `DenseImageData" top: "y" top: "z" dense_image_data_param { source: "l" }`, "Positive batch size required"},
		{nil, `DenseImageData" top: "y" top: "z" dense_image_data_param { source: "l" batch_size: 1 new_width: 3 }`, "new_height and new_width to be set at the same time"},
		{nil, `DenseImageData" top: "y" top: "z" dense_image_data_param { source: "l" batch_size: 1 crop_height: 3 }`, "crop_height and crop_width to be set at the same time"},
		{nil, `DenseImageData" top: "y" top: "z" transform_param { mirror: true } dense_image_data_param { source: "l" batch_size: 1 }`, "use dense_image_data_param.mirror"},
		{nil, `DenseImageData" top: "y" top: "z" transform_param { crop_size: 2 } dense_image_data_param { source: "l" batch_size: 1 }`, "use crop_height and crop_width"},
		{image, `CropCenter" bottom: "a" top: "y" crop_center_param { crop_size: 1 }`, "cut 1 from both ends of axis 0"},
		{[]string{"2 4", "2 3 6 6", "2 3 6 6"}, `Axpy" bottom: "a" bottom: "b" bottom: "c" top: "y"`, "one scale for each item and channel"},
		{[]string{"2 3", "2 4"}, `L1Loss" bottom: "a" bottom: "b" top: "y"`, "same dimension"},
		{image, `ConvolutionDepthwise" bottom: "a" top: "y" convolution_param { num_output: 5 kernel_size: 3 }`, "has as many"},
		{image, `Normalize" bottom: "a" top: "y" norm_param { scale: 1 }`, `no field named "scale"`},
		{pair, `PriorBox" bottom: "a" bottom: "b" top: "y"`, "must provide min_size"},
		{pair, `PriorBox" bottom: "a" bottom: "b" top: "y" prior_box_param { min_size: 4 max_size: 3 }`, "greater than min_size"},
		{pair, `PriorBox" bottom: "a" bottom: "b" top: "y" prior_box_param { min_size: 4 img_size: 3 img_h: 4 img_w: 4 }`, "not both"},
		{pair, `PriorBox" bottom: "a" bottom: "b" top: "y" prior_box_param { min_size: 4 variance: 1 variance: 2 }`, "only provide 4 variance"},
		{pair, `SmoothL1Loss" bottom: "a" bottom: "c" top: "y"`, "c"},
		{[]string{"2 4", "2 5"}, `SmoothL1Loss" bottom: "a" bottom: "b" top: "y"`, "one shape"},
		{pair, `ROIPooling" bottom: "a" bottom: "b" top: "y"`, "pooled_h must be > 0"},
		{pair, `ROIPooling" bottom: "a" bottom: "b" top: "y" roi_pooling_param { pooled_h: 2 pooled_w: 2 }`, "regions of 5 numbers"},
		{[]string{"2 4 6 6", "3 5"}, `PSROIPooling" bottom: "a" bottom: "b" top: "y" psroi_pooling_param { output_dim: 2 group_size: 2 }`, "want 2 times 2²"},
		{image, `Interp" bottom: "a" top: "y"`, "give height and width"},
		{image, `Interp" bottom: "a" top: "y" interp_param { zoom_factor: 2 pad_beg: 1 }`, "non-pos padding"},
		{image, `Interp" bottom: "a" top: "y" interp_param { zoom_factor: 2 pad_beg: -6 }`, "cuts 6 pixels"},
		{pair, `Upsample" bottom: "a" bottom: "b" top: "y" upsample_param { scale_h: 2 }`, "scale_h & scale_w are required"},
		{pair, `Upsample" bottom: "a" bottom: "b" top: "y" upsample_param { scale: 3 pad_out_h: true }`, "requires scale_h == 2"},
		{[]string{"1 8", "1 4", "1 2 8"}, `DetectionOutput" bottom: "a" bottom: "b" bottom: "c" top: "y"`, "Must specify num_classes"},
		{[]string{"1 8", "1 5", "1 2 8"}, `DetectionOutput" bottom: "a" bottom: "b" bottom: "c" top: "y" detection_output_param { num_classes: 2 }`, "2 priors"},
		{[]string{"1 8", "1 4", "1 2 8"}, `DetectionOutput" bottom: "a" bottom: "b" bottom: "c" top: "y" detection_output_param { num_classes: 2 nms_param { eta: 0 } }`, "eta must be larger than 0"},
		{[]string{"1 8", "1 4", "1 2 8"}, `DetectionOutput" bottom: "a" bottom: "b" bottom: "c" top: "y" detection_output_param { num_classes: 2 save_output_param { output_directory: "x" output_format: "voc" } }`, `output_format is "voc", want one of VOC, COCO, ILSVRC`},
		{[]string{"1 8", "1 4", "1 2 8"}, `DetectionOutput" bottom: "a" bottom: "b" bottom: "c" top: "y" detection_output_param { num_classes: 2 visualize: true }`, "drawing detections"},
		{[]string{"1 8", "1 4", "1 2 8"}, `DetectionOutput" bottom: "a" bottom: "b" bottom: "c" top: "y" detection_output_param { num_classes: 2 save_file: "x" }`, "writing a video"},
		{[]string{"2 4", "2"}, `SoftmaxWithLoss" bottom: "a" bottom: "b" top: "y" loss_param { weight_by_label_freqs: true }`, "needs loss_param.class_weighting"},
		{[]string{"2 4", "2"}, `SoftmaxWithLoss" bottom: "a" bottom: "b" top: "y" loss_param { weight_by_label_freqs: true class_weighting: 1 }`, "1 weights, 4 classes"},
		{boxes, `MultiBoxLoss" bottom: "a" bottom: "b" bottom: "c" bottom: "d" top: "y" multibox_loss_param {  }`, "Must provide num_classes"},
		{boxes, `MultiBoxLoss" bottom: "a" bottom: "b" bottom: "c" bottom: "d" top: "y" multibox_loss_param { num_classes: 2 share_location: false }`, "if share_location is true"},
		{boxes, `MultiBoxLoss" bottom: "a" bottom: "b" bottom: "c" bottom: "d" top: "y" multibox_loss_param { num_classes: 2 do_neg_mining: false }`, "contradicts mining_type"},
		{boxes, `MultiBoxLoss" bottom: "a" bottom: "b" bottom: "c" bottom: "d" top: "y" multibox_loss_param { num_classes: 2 background_label_id: 2 }`, "within [0, num_classes)"},
		{boxes, `MultiBoxLoss" bottom: "a" bottom: "b" bottom: "c" bottom: "d" top: "y" multibox_loss_param { num_classes: 2 mining_type: HARD_EXAMPLE sample_size: 0 }`, "sample_size must be positive"},
		{boxes, `MultiBoxLoss" bottom: "a" bottom: "b" bottom: "c" bottom: "d" top: "y" multibox_loss_param { num_classes: 3 map_object_to_agnostic: true }`, "needs two classes"},
		{boxes, `MultiBoxLoss" bottom: "a" bottom: "b" bottom: "c" bottom: "d" top: "y" multibox_loss_param { num_classes: 3 }`, "2 priors"},
		{[]string{"1 1 3 7", "1 1 2 8"}, `DetectionEvaluate" bottom: "a" bottom: "b" top: "y"`, "Must provide num_classes"},
		{[]string{"1 1 3 7", "1 1 2 8"}, `DetectionEvaluate" bottom: "a" bottom: "b" top: "y" detection_evaluate_param { num_classes: 2 overlap_threshold: 0 }`, "must be positive"},
		{[]string{"1 1 3 7", "1 1 2 8"}, `DetectionEvaluate" bottom: "a" bottom: "b" top: "y" detection_evaluate_param { num_classes: 2 name_size_file: "x" }`, "leave name_size_file out"},
		{[]string{"1 1 3 6", "1 1 2 8"}, `DetectionEvaluate" bottom: "a" bottom: "b" top: "y" detection_evaluate_param { num_classes: 2 }`, "want 1 1 rows 7"},
		{[]string{"2 4", "2"}, `MarginInnerProduct" bottom: "a" bottom: "b" top: "y"`, "num_output must be set"},
		{[]string{"2 4", "3"}, `MarginInnerProduct" bottom: "a" bottom: "b" top: "y" margin_inner_product_param { num_output: 3 }`, "Number of labels must match"},
		{pair, `SegAccuracy" bottom: "a" bottom: "b" top: "y"`, "which has one channel"},
		{[]string{"6 5", "6", "6", "6 8"}, `BoxAnnotatorOHEM" bottom: "a" bottom: "b" bottom: "c" bottom: "d" top: "y" top: "z"`, "roi_per_img must be set"},
		{[]string{"6 5", "6", "5", "6 8"}, `BoxAnnotatorOHEM" bottom: "a" bottom: "b" bottom: "c" bottom: "d" top: "y" top: "z" box_annotator_ohem_param { roi_per_img: 2 }`, "labels 5 1 1 1"},
		{[]string{"2 4", "3"}, `SoftmaxWithLossOHEM" bottom: "a" bottom: "b" top: "y"`, "same first dimension"},
		{image, `BN" bottom: "a" top: "y" bn_param { bn_mode: LEARN momentum: 0.9 }`, "field of SegNet's BN"},
		{image, `BN" bottom: "a" top: "y" top: "m" bn_param { momentum: 0.9 }`, "at most 1 top"},
		{image, `BN" bottom: "a" top: "y" top: "m" bn_param { bn_mode: INFERENCE }`, "only with bn_mode: LEARN"},
	} {
		_, err := buildText(t, caffepb.Phase_TRAIN, c.shapes, `layer { name: "l" type: "`+c.layer+" }")
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error is %v, want one with %q", c.layer, err, c.says)
		}
	}
}
