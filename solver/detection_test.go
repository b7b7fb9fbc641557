package solver

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/spec"
)

// TestAveragePrecision: each ap_version against areas and means worked out by hand.
func TestAveragePrecision(t *testing.T) {
	for _, c := range []struct {
		name      string
		positives int
		found     string // right or wrong, the highest score first
		want      map[string]float64
	}{
		// Precisions 1, 1/2, 2/3, 1/2, 3/5 at recalls 1/4, 1/4, 1/2, 1/2, 3/4.
		{"every other", 4, "+-+-+", map[string]float64{
			"Integral":    (1 + 2./3 + 3./5) / 4,
			"MaxIntegral": (1 + 2./3 + 3./5) / 4,
			"11point":     (3*1 + 3*2./3 + 2*3./5) / 11,
		}},
		// Precisions 0, 1/2, 2/3, 1/2, 3/5 at recalls 0, 1/4, 1/2, 1/2, 3/4.
		{"best in the middle", 4, "-++-+", map[string]float64{
			"Integral":    (1./2 + 2./3 + 3./5) / 4,
			"MaxIntegral": (2./3 + 2./3 + 3./5) / 4,
			"11point":     (6*2./3 + 2*3./5) / 11,
		}},
		{"all", 2, "++", map[string]float64{"Integral": 1, "MaxIntegral": 1, "11point": 1}},
		{"all wrong", 2, "---", map[string]float64{"Integral": 0, "MaxIntegral": 0, "11point": 0}},
		{"nothing to find", 0, "--", map[string]float64{"Integral": 0, "MaxIntegral": 0, "11point": 0}},
		// In float32 7/10 is less than 0.7.
		{"rounding", 10, "+++++++", map[string]float64{"Integral": 0.7, "MaxIntegral": 0.7, "11point": 7. / 11}},
	} {
		for version, want := range c.want {
			k := class{positives: c.positives}
			for i, mark := range c.found { // the scores rise, which is not their order in the curve
				k.found = append(k.found, detection{float32(-i), mark == '+'})
			}
			slices.Reverse(k.found)
			curve, err := k.curve()
			if err != nil {
				t.Fatal(err)
			}
			if got := averagePrecisions[version](curve); math.Abs(float64(got)-want) > 1e-6 {
				t.Errorf("%s, %s: %g, want %g", c.name, version, got, want)
			}
		}
	}
}

// TestEqualScores: what has the same score stays in the order found.
func TestEqualScores(t *testing.T) {
	for _, c := range []struct {
		found []detection
		want  float32
	}{
		{[]detection{{0.5, false}, {0.5, true}}, 0.5},
		{[]detection{{0.5, true}, {0.5, false}}, 1},
	} {
		k := class{positives: 1, found: c.found}
		curve, err := k.curve()
		if got := integral(curve); err != nil || got != c.want {
			t.Errorf("%v: %g, want %g (%v)", c.found, got, c.want, err)
		}
	}
}

// TestEvaluateRows: which rows count, and those that are none.
func TestEvaluateRows(t *testing.T) {
	classes := map[int]*class{}
	for _, row := range [][]float32{
		{-1, 1, 2, -1, -1}, {-1, 1, 1, -1, -1}, // labelled boxes of two batches
		{0, 1, 0.9, 1, 0}, {0, 1, 0.8, 0, 1},
		{0, 1, 0.7, 0, 0}, // a difficult one
		{0, 5, 0.6, 0, 1}, // of a class that no row lists
	} {
		if err := addRow(classes, row); err != nil {
			t.Fatal(err)
		}
	}
	one := classes[1]
	if !one.listed || one.positives != 3 || !slices.Equal(one.found, []detection{{0.9, true}, {0.8, false}}) {
		t.Errorf("class 1 is %+v", one)
	}
	if classes[5].listed {
		t.Error("class 5 counts")
	}
	for _, row := range [][]float32{{0, 1, 0.5, 1, 1}, {0, 1, 0.5, 2, 0}, {0, 1, 0.5, 2, -1}, {0, 1, 0.5, 0.5, 0.5}} {
		if err := addRow(classes, row); err == nil {
			t.Errorf("%v is taken", row)
		}
	}
	most := class{positives: 1, found: []detection{{1, true}, {0, true}}}
	if _, err := most.curve(); err == nil || !strings.Contains(err.Error(), "2 of 1 labelled boxes were found") {
		t.Errorf("more found than there are: %v", err)
	}
}

// boxes gives batches of detections and labels in turn.
type boxes struct {
	batches [][2][]float32
	next    int
}

func (b *boxes) Shapes() ([]engine.Shape, error) {
	batch := b.batches[b.next%len(b.batches)]
	return []engine.Shape{{1, 1, len(batch[0]) / 7, 7}, {1, 1, len(batch[1]) / 8, 8}}, nil
}

func (b *boxes) Next(dst ...[]float32) error {
	batch := b.batches[b.next%len(b.batches)]
	copy(dst[0], batch[0])
	copy(dst[1], batch[1])
	b.next++
	return nil
}

func (b *boxes) State() ([]byte, error) { return nil, nil }
func (b *boxes) Restore([]byte) error   { return nil }
func (b *boxes) Wait() time.Duration    { return 0 }
func (b *boxes) Close() error           { return nil }

// near and far are two boxes apart from each other.
var near, far = []float32{0.1, 0.1, 0.3, 0.3}, []float32{0.6, 0.6, 0.9, 0.9}

func found(image, label, score float32, box []float32) []float32 {
	return append([]float32{image, label, score}, box...)
}

func labelled(image, label float32, box []float32, difficult float32) []float32 {
	return append(append([]float32{image, label, 0}, box...), difficult)
}

// detecting trains tiny and tests what boxes says.
const detecting = `
base_lr: 0.05 lr_policy: "fixed" max_iter: 1 test_iter: 2 test_interval: 1 test_initialization: false snapshot_after_train: false
eval_type: "detection"
net_param {
  name: "detecting"
  layer { name: "x" type: "DummyData" top: "x" top: "y" include { phase: TRAIN }
    dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 1 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 1 } include { phase: TRAIN } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" include { phase: TRAIN } }
  layer { name: "boxes" type: "HDF5Data" top: "det" top: "gt" include { phase: TEST } hdf5_data_param { source: "-" batch_size: 1 } }
  layer { name: "eval" type: "DetectionEvaluate" bottom: "det" bottom: "gt" top: "detection_eval" include { phase: TEST }
    detection_evaluate_param { num_classes: 4 background_label_id: 0 evaluate_difficult_gt: false } }
}
`

// TestDetection: the log of a test of two batches. Of class 1 there are 2+1 boxes; found are, by
// score, 0.9 right, 0.8 right, 0.7 wrong (twice the same), 0.4 right: precisions 1, 1, 2/3, 3/4 at recalls
// 1/3, 2/3, 2/3, 1. Of class 2 a box is found with 0.6, and a wrong one with 0.95 before it; the difficult one
// does not count. Of class 3 nothing is found.
func TestDetection(t *testing.T) {
	batches := [][2][]float32{
		{
			slices.Concat(found(0, 1, 0.9, near), found(0, 1, 0.7, near), found(0, 1, 0.4, far), found(0, 2, 0.95, far)),
			slices.Concat(labelled(0, 1, near, 0), labelled(0, 1, far, 0), labelled(0, 2, near, 0)),
		},
		{
			slices.Concat(found(0, 1, 0.8, far), found(0, 2, 0.6, near), found(0, 2, 0.99, far)),
			slices.Concat(labelled(0, 1, far, 0), labelled(0, 2, near, 0), labelled(0, 2, far, 1), labelled(0, 3, far, 0)),
		},
	}
	for _, c := range []struct {
		more string
		want []string
	}{
		// Class 1: (1+1+3/4)/3; class 2: half of 1/2.
		{"", []string{"W Missing true_pos for label: 3", "    Test net output #0: detection_eval = 0.388889"}},
		{"show_per_class_result: true", []string{"class1: 0.916667", "class2: 0.25", "W Missing true_pos for label: 3",
			"    Test net output #0: detection_eval = 0.388889"}},
		// Class 1: recalls 0 to 0.6 have precision 1, 0.7 to 1 have 3/4; class 2: 0 to 0.5 have 1/2.
		{`show_per_class_result: true ap_version: "11point"`, []string{"class1: 0.909091", "class2: 0.272727",
			"W Missing true_pos for label: 3", "    Test net output #0: detection_eval = 0.393939"}},
		{`ap_version: "MaxIntegral" test_compute_loss: true`, []string{"Test loss: 0", "W Missing true_pos for label: 3",
			"    Test net output #0: detection_eval = 0.388889"}},
	} {
		log := new(lines)
		open := func(*spec.Layer, func() uint32) (net.Source, error) { return &boxes{batches: batches}, nil }
		if _, err := solve(t, detecting+c.more, Options{Log: log, Open: open}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range log.of("solver.cpp:401]", "solver.cpp:524]", "solver.cpp:540]", "solver.cpp:546]") {
			got = append(got, line[len("solver.cpp:546] "):])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q logs\n%s\nwant\n%s", c.more, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// TestDetectionOfOtherOutputs: an output that is not DetectionEvaluate's ends the training with its name.
func TestDetectionOfOtherOutputs(t *testing.T) {
	_, err := solve(t, tiny+`max_iter: 1 test_iter: 1 test_interval: 1 eval_type: "detection"`, Options{})
	if err == nil || !strings.Contains(err.Error(), `iteration 0, test net #0: output loss has shape`) {
		t.Errorf("got %v", err)
	}
}
