package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/sharedtest"
	"github.com/gocaffe/gocaffe/net"
)

// Every published net that real Caffe builds: the same layers, blobs, params, inputs and outputs in the JSON.
func TestSummaryOfPublishedNets(t *testing.T) {
	f, err := os.Open(sharedtest.Dir(t, filepath.Join("zoo", "shapes.jsonl.gz")))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(z)
	in.Buffer(nil, 1<<26)
	compared := 0
	for ; in.Scan(); compared++ {
		var want map[string]any
		if err := json.Unmarshal(in.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		compareSummary(t, want)
	}
	if err := in.Err(); err != nil || compared < 310 {
		t.Errorf("%d nets were compared, want 310: %v", compared, err)
	}
}

func compareSummary(t *testing.T, want map[string]any) {
	t.Helper()
	file := want["file"].(string)
	model := zooFile(t, file)
	if text, ok := want["prototxt"].(string); ok {
		model = filepath.Join(t.TempDir(), "net.prototxt")
		if err := os.WriteFile(model, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := call("gocaffe", "summary", "-model", model, "-phase", want["phase"].(string), "-engine", "ref", "-json")
	var got map[string]any
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Errorf("%s: exit %d, %v\n%s", file, code, err, last(stderr, 500))
		return
	}
	got["layers"] = asRecorded(got["layers"].([]any))
	for _, key := range []string{"phase", "layers", "blobs", "params", "inputs", "outputs"} {
		if !reflect.DeepEqual(got[key], want[key]) {
			t.Errorf("%s: %s\ngot  %v\nwant %v", file, key, got[key], want[key])
		}
	}
}

// asRecorded gives layers of one name the blobs of the last of them: what real Caffe builds was written down by name.
func asRecorded(layers []any) []any {
	last := map[any]any{}
	for _, l := range layers {
		last[l.([]any)[0]] = l
	}
	recorded := make([]any, len(layers))
	for i, l := range layers {
		recorded[i] = last[l.([]any)[0]]
	}
	return recorded
}

// zooFile is a file of the zoo, or the one that has the same text.
func zooFile(t *testing.T, file string) string {
	t.Helper()
	zoo := sharedtest.Dir(t, "zoo")
	index, err := os.ReadFile(filepath.Join(zoo, "index.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{file}
	for line := range strings.Lines(string(index)) {
		if cols := strings.Split(line, "\t"); len(cols) > 1 && cols[1] == "dup of "+file {
			names = append(names, cols[0])
		}
	}
	for _, name := range names {
		path := filepath.Join(zoo, "prototxt", filepath.FromSlash(name))
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not in the zoo", file)
	return ""
}

const twoLayers = `name: "two" layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }
layer { name: "c" type: "Convolution" bottom: "x" top: "y" convolution_param { num_output: 5 kernel_size: 3 group: 1 } }
layer { name: "r" type: "ReLU" bottom: "y" top: "y" }
layer { name: "ip" type: "InnerProduct" bottom: "y" top: "z" inner_product_param { num_output: 7 } }
layer { name: "l" type: "EuclideanLoss" bottom: "z" bottom: "z" top: "loss" }`

func writeNet(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "net.prototxt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSummaryText(t *testing.T) {
	code, table, stderr := call("gocaffe", "summary", "-model", writeNet(t, twoLayers))
	if code != 0 {
		t.Fatal(stderr)
	}
	// The convolution has 5·(3·3·3)+5 params and makes 2·5·2·2 numbers of 27 multiply-adds each; the inner product has 7·20+7 and 2·7·20.
	for _, want := range []string{"two (TRAIN)", "y(2 5 2 2)", "(5 3 3 3) (5)", "140", "1080", "147", "280", "parameters: 287", "multiply-adds: 1360", "z_ip_0_split"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	for _, want := range []string{"\npeak memory of time: ", "\npeak memory of train: "} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}

// Params and what is as large as they are: 135, 5, 140 and 7 numbers of 4 bytes, each from a multiple of 64 on, and beside the history
func TestSummarySaysWhatItLeavesOut(t *testing.T) {
	code, _, stderr := call("gocaffe", "summary", "-model", writeNet(t, twoLayers), "-gpu", "0", "-engine", "ref")
	if want := "-gpu 0 has no effect"; code != 0 || !strings.Contains(stderr, want) {
		t.Errorf("exit %d, no %q in %s", code, want, stderr)
	}
}

// the solver's numbers for an update.
func TestSummaryMemory(t *testing.T) {
	for phase, commands := range map[string][]string{"TRAIN": {"time", "train"}, "TEST": {"time", "test"}} {
		code, stdout, stderr := call("gocaffe", "summary", "-model", writeNet(t, twoLayers), "-json", "-engine", "ref", "-phase", phase)
		var s struct{ Memory []net.Memory }
		if err := json.Unmarshal([]byte(stdout), &s); code != 0 || err != nil || len(s.Memory) != 2 {
			t.Fatalf("%s: exit %d, %v: %s%s", phase, code, err, stdout, stderr)
		}
		const params = 576 + 64 + 576 + 64
		for i, m := range s.Memory {
			want := net.Memory{Command: commands[i], Parameters: params, Gradients: params, Activations: m.Activations, Program: m.Program}
			switch m.Command {
			case "train":
				want.History = params + (4*engine.HyperSize+63)/64*64
			}
			if phase == "TEST" {
				want.Gradients = 0
			}
			want.Peak = want.Parameters + want.Gradients + want.History + want.Activations + want.Program
			// The input alone has 96 numbers.
			if m != want || m.Activations < 4*96 || m.Program < 1<<20 {
				t.Errorf("%s: %+v, want %+v", phase, m, want)
			}
		}
	}
}

func TestExplain(t *testing.T) {
	model := writeNet(t, twoLayers)
	for stage, wants := range map[string][]string{
		"spec":     {`Convolution "c" (x) -> (y)`, "(y) -> (y#2)"},
		"graph":    {"Conv{", "ConvGradWeights{", "param c[0]"},
		"plan":     {"Conv{", "bytes: params"},
		"plan,foo": {"Conv{"},
	} {
		code, stdout, stderr := call("gocaffe", "explain", "-stage", stage, "-model", model, "-engine", "ref")
		for _, w := range wants {
			if code != 0 || !strings.Contains(stdout, w) {
				t.Errorf("%s: exit %d, %q is not in\n%s%s", stage, code, w, stdout, stderr)
			}
		}
	}
	if code, _, stderr := call("gocaffe", "explain", "-stage", "nets", "-model", model); code != exitFatal || !strings.Contains(stderr, "spec, graph or plan") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
