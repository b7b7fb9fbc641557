package spec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

func state(phase caffepb.Phase, level int32, stages ...string) *caffepb.NetState {
	return &caffepb.NetState{Phase: phase.Enum(), Level: &level, Stage: stages}
}

func resolve(t *testing.T, text string, s *caffepb.NetState) (*spec.Net, []string, error) {
	t.Helper()
	f, err := proto.ParseNet("net.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	n, err := spec.Resolve(f.Net, f, s, func(file string, line int, format string, args ...any) {
		lines = append(lines, fmt.Sprintf("%s:%d] ", file, line)+fmt.Sprintf(format, args...))
	})
	return n, lines, err
}

func mustResolve(t *testing.T, text string, s *caffepb.NetState) *spec.Net {
	t.Helper()
	n, _, err := resolve(t, text, s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func printed(t *testing.T, n *spec.Net) string {
	t.Helper()
	var b strings.Builder
	if err := spec.Print(&b, n.Layers); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The golden solvers' net: the splits are those in the logs of real Caffe.
func TestResolveGoldenNet(t *testing.T) {
	path := filepath.Join("..", "..", "testdata", "golden", "solvers", "net.prototxt")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, printed(t, mustResolve(t, string(text), state(caffepb.Phase_TRAIN, 0))), `
TRAIN Data "data" () -> (data, label) transform_param: {scale: 0.0078125 mean_value: [120, 118, 110]} data_param: {source: "data/train_lmdb" batch_size: 16 backend: LMDB}
TRAIN Convolution "conv1" (data) -> (conv1) param: [{lr_mult: 1}, {lr_mult: 2 decay_mult: 0}] convolution_param: {num_output: 8 kernel_size: [3] weight_filler: {type: "xavier"}}
TRAIN ReLU "relu1" (conv1) -> (conv1#2)
TRAIN Pooling "pool1" (conv1#2) -> (pool1) pooling_param: {pool: MAX kernel_size: 2 stride: 2}
TRAIN InnerProduct "ip1" (pool1) -> (ip1) param: [{lr_mult: 1 decay_mult: 1}, {lr_mult: 2 decay_mult: 0}] inner_product_param: {num_output: 16 weight_filler: {type: "xavier"}}
TRAIN ReLU "relu2" (ip1) -> (ip1#2)
TRAIN InnerProduct "ip2" (ip1#2) -> (ip2) param: [{lr_mult: 1 decay_mult: 1}, {lr_mult: 2 decay_mult: 0}] inner_product_param: {num_output: 5 weight_filler: {type: "xavier"}}
TRAIN SoftmaxWithLoss "loss" (ip2, label) -> (loss)`)
	var names []string
	for _, l := range mustResolve(t, string(text), state(caffepb.Phase_TEST, 0)).Layers {
		names = append(names, l.GetName())
	}
	expect(t, strings.Join(names, " "), "data label_data_1_split conv1 relu1 pool1 ip1 relu2 ip2 ip2_ip2_0_split accuracy loss")
}

// Splits count readers from the last producer of a blob, a loss weight being a
// reader that takes the first top.
func TestSplits(t *testing.T) {
	n := mustResolve(t, `
layer { name: "in" type: "Input" top: "x" }
layer { name: "conv" type: "Convolution" bottom: "x" top: "y" }
layer { name: "relu" type: "ReLU" bottom: "y" top: "y" }
layer { name: "a" type: "Power" bottom: "y" top: "a" loss_weight: 2 }
layer { name: "b" type: "Eltwise" bottom: "y" bottom: "a" bottom: "y" top: "b" }
`, state(caffepb.Phase_TRAIN, 0))
	expect(t, printed(t, n), `
TRAIN Input "in" () -> (x)
TRAIN Convolution "conv" (x) -> (y)
TRAIN ReLU "relu" (y) -> (y#2)
TRAIN Split "y_relu_0_split" (y#2) -> (y_relu_0_split_0, y_relu_0_split_1, y_relu_0_split_2)
TRAIN Power "a" (y_relu_0_split_0) -> (a)
TRAIN Split "a_a_0_split" (a) -> (a_a_0_split_0, a_a_0_split_1) loss_weight: [2, 0]
TRAIN Eltwise "b" (y_relu_0_split_1, a_a_0_split_1, y_relu_0_split_2) -> (b)`)
	if w := n.Filtered.Layer[3].GetLossWeight(); len(w) != 1 {
		t.Errorf("the net as printed lost its loss_weight: %v", w)
	}
	if n.Filtered.Layer[1].Phase != nil {
		t.Error("the net as printed got a phase that the file does not have")
	}
}

func TestRules(t *testing.T) {
	const text = `
layer { name: "train" type: "Input" top: "a" include { phase: TRAIN } }
layer { name: "deploy" type: "Input" top: "b" include { stage: "deploy" stage: "big" } include { min_level: 3 } }
layer { name: "notval" type: "Input" top: "c" exclude { phase: TEST stage: "val" } }
layer { name: "low" type: "Input" top: "d" include { max_level: 1 not_stage: "val" } }
layer { name: "own" type: "Input" top: "e" phase: TRAIN }
`
	cases := []struct {
		state *caffepb.NetState
		names string
		log   string
	}{
		{state(caffepb.Phase_TRAIN, 0), "train notval low own", `
net.cpp:332] The NetState did not contain stage 'deploy' specified by a rule in layer deploy
net.cpp:306] The NetState level (0) is above the min_level (3) specified by a rule in layer deploy
net.cpp:296] The NetState phase (0) differed from the phase (1) specified by a rule in layer notval`},
		{state(caffepb.Phase_TEST, 5, "deploy", "val"), "deploy own", `
net.cpp:296] The NetState phase (1) differed from the phase (0) specified by a rule in layer train
net.cpp:332] The NetState did not contain stage 'big' specified by a rule in layer deploy
net.cpp:316] The NetState level (5) is above the max_level (1) specified by a rule in layer low`},
		{state(caffepb.Phase_TEST, 1, "big", "deploy"), "deploy notval low own", `
net.cpp:296] The NetState phase (1) differed from the phase (0) specified by a rule in layer train
net.cpp:332] The NetState did not contain stage 'val' specified by a rule in layer notval`},
		{state(caffepb.Phase_TEST, 0, "val"), "own", `
net.cpp:296] The NetState phase (1) differed from the phase (0) specified by a rule in layer train
net.cpp:332] The NetState did not contain stage 'deploy' specified by a rule in layer deploy
net.cpp:306] The NetState level (0) is above the min_level (3) specified by a rule in layer deploy
net.cpp:347] The NetState contained a not_stage 'val' specified by a rule in layer low`},
	}
	for _, c := range cases {
		n, lines, err := resolve(t, text, c.state)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, l := range n.Layers {
			names = append(names, l.GetName())
		}
		expect(t, strings.Join(names, " "), c.names)
		expect(t, strings.Join(lines, "\n"), c.log)
		last := n.Layers[len(n.Layers)-1]
		if last.GetName() == "own" && last.GetPhase() != caffepb.Phase_TRAIN {
			t.Error("a layer's own phase was overwritten")
		}
	}
}

// Every independent error is reported, each with its line.
func TestResolveErrors(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"rules", `layer { name: "a" type: "Input" top: "x" include { phase: TRAIN } exclude { phase: TEST } }`, `
net.prototxt:1: layer "a" (Input): Specify either include rules or exclude rules; not both.`},
		{"bottoms", `layer { name: "a" type: "Input" top: "pool1" }
layer { name: "b" type: "ReLU"
  bottom: "pol1"
  top: "y" }
layer { name: "c" type: "ReLU" bottom: "late" top: "z" }
layer { name: "d" type: "ReLU" bottom: "y" top: "late" }`, `
net.prototxt:3: layer "b" (ReLU): Unknown bottom blob 'pol1' (layer 'b', bottom index 0): did you mean 'pool1'?
net.prototxt:5: layer "c" (ReLU): Unknown bottom blob 'late' (layer 'c', bottom index 0): layer "d" makes it at net.prototxt:6, which must come before`},
		{"first", `layer { name: "b" type: "ReLU" bottom: "x" top: "y" }`, `
net.prototxt:1: layer "b" (ReLU): Unknown bottom blob 'x' (layer 'b', bottom index 0): no layer before makes a blob`},
		{"tops", `layer { name: "a" type: "Input" top: "x" }
layer { name: "b" type: "Input" top: "x" }`, `
net.prototxt:2: layer "b" (Input): Top blob 'x' produced by multiple sources. layer "a" at net.prototxt:1 makes it too; give one of them another name`},
		{"inplace", `layer { name: "a" type: "Input" top: "x" }
layer { name: "b" type: "ReLU" bottom: "x" top: "x" }
layer { name: "c" type: "Sigmoid" bottom: "x" top: "x" }
layer { name: "d" type: "TanH" bottom: "x" top: "y" }`, ``},
		{"shared in place", `layer { name: "a" type: "Input" top: "x" }
layer { name: "c" type: "Sigmoid" bottom: "x" top: "z" }
layer { name: "b" type: "ReLU" bottom: "x" top: "x" }`, `
net.prototxt:3: layer "b" (ReLU): Top blob 'x' produced by multiple sources. x is read by other layers than this one, so it cannot be computed in place; give the top another name`},
		{"propagate_down", `layer { name: "a" type: "Input" top: "x" top: "w" }
layer { name: "b" type: "Eltwise" bottom: "x" bottom: "w" top: "y" propagate_down: true }`, `
net.prototxt:2: layer "b" (Eltwise): propagate_down param must be specified either 0 or bottom_size times: 1 given, 2 bottoms`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := resolve(t, c.text, nil)
			got := ""
			if err != nil {
				got = err.Error()
			}
			expect(t, got, c.want)
		})
	}
}
