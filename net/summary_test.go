package net_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/sharedtest"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// zooCase is what real Caffe built of one file in one phase.
type zooCase struct {
	File, Phase     string
	Prototxt        string // what was built, where it is not the file
	Layers          [][]any
	Blobs           map[string][]int
	Params          map[string][][]int
	Inputs, Outputs []string
}

// TestZooShapes compares layers, splits, blobs and params of nets that people
// wrote with what real Caffe built of them.
func TestZooShapes(t *testing.T) {
	dir := sharedtest.Dir(t, "zoo")
	file, err := os.Open(filepath.Join(dir, "shapes.jsonl.gz"))
	must(t, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	must(t, err)
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 16<<20)
	compared := 0
	for lines.Scan() {
		var c zooCase
		must(t, json.Unmarshal(lines.Bytes(), &c))
		compared++
		t.Run(c.File+" "+c.Phase, func(t *testing.T) { compareZoo(t, dir, c) })
	}
	must(t, lines.Err())
	if compared < 300 {
		t.Errorf("only %d nets compared", compared)
	}
}

func compareZoo(t *testing.T, dir string, want zooCase) {
	text := []byte(want.Prototxt)
	if len(text) == 0 {
		text = zooText(t, dir, want.File)
	}
	f, err := proto.ParseNet(want.File, text)
	must(t, err)
	phase := caffepb.Phase(caffepb.Phase_value[want.Phase])
	s, err := net.Summarize(f, net.SummaryOptions{State: state(phase)})
	must(t, err)
	encoded, err := json.Marshal(s)
	must(t, err)
	var got zooCase
	must(t, json.Unmarshal(encoded, &got))
	got.Prototxt, got.Layers = want.Prototxt, byName(got.Layers)
	for _, field := range []string{"File", "Phase", "Layers", "Blobs", "Params", "Inputs", "Outputs"} {
		g, w := reflect.ValueOf(got).FieldByName(field).Interface(), reflect.ValueOf(want).FieldByName(field).Interface()
		if !reflect.DeepEqual(g, w) {
			t.Errorf("%s: %s", field, difference(g, w))
		}
	}
}

// byName gives layers of one name the bottoms and tops of the last one, for Caffe's
// were asked for by name.
func byName(list [][]any) [][]any {
	last := map[any][]any{}
	for _, l := range list {
		last[l[0]] = l
	}
	for i, l := range list {
		list[i] = []any{l[0], l[1], last[l[0]][2], last[l[0]][3]}
	}
	return list
}

// zooText reads a file of the zoo, or the one of equal text that stands for it.
func zooText(t *testing.T, dir, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "prototxt", name))
	if !errors.Is(err, fs.ErrNotExist) {
		must(t, err)
		return text
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.tsv"))
	must(t, err)
	for _, line := range strings.Split(string(index), "\n") {
		fields := strings.Split(line, "\t")
		if len(fields) > 1 && fields[1] == "dup of "+name {
			text, err = os.ReadFile(filepath.Join(dir, "prototxt", fields[0]))
			must(t, err)
			return text
		}
	}
	t.Fatalf("the zoo has no %s", name)
	return nil
}

// difference shows where two printed values part.
func difference(got, want any) string {
	g, w := fmt.Sprint(got), fmt.Sprint(want)
	at := 0
	for at < len(g) && at < len(w) && g[at] == w[at] {
		at++
	}
	from := max(0, at-80)
	return fmt.Sprintf("got …%s\nwant …%s", g[from:min(len(g), at+120)], w[from:min(len(w), at+120)])
}

// Costs of a net that is counted by hand.
func TestSummaryCosts(t *testing.T) {
	const text = `
name: "small"
layer { name: "data" type: "Data" top: "data" top: "label" transform_param { crop_size: 8 } data_param { source: "nowhere" batch_size: 2 } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 5 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" }
`
	s, err := net.Summarize(parse(t, text), net.SummaryOptions{})
	must(t, err)
	conv := net.LayerCost{Parameters: 4*27 + 4, MultiplyAdds: 2 * 4 * 36 * 27, BlobBytes: 4 * 2 * 4 * 36}
	ip := net.LayerCost{Parameters: 5*144 + 5, MultiplyAdds: 2 * 5 * 144, BlobBytes: 4 * 2 * 5}
	if s.Costs[1] != conv || s.Costs[2] != ip || s.Costs[3].BlobBytes != 4 {
		t.Errorf("costs %+v, want %+v and %+v", s.Costs, conv, ip)
	}
	if s.Parameters != conv.Parameters+ip.Parameters || s.ParamBytes != 4*s.Parameters || s.MultiplyAdds != conv.MultiplyAdds+ip.MultiplyAdds {
		t.Errorf("totals %d %d %d", s.Parameters, s.ParamBytes, s.MultiplyAdds)
	}
	if len(s.Assumed) != 1 || !strings.Contains(s.Assumed[0], "2 3 8 8") {
		t.Errorf("assumed %v", s.Assumed)
	}
	given := map[string][]engine.Shape{"data": {{2, 1, 10, 10}, {2}}}
	if s, err = net.Summarize(parse(t, text), net.SummaryOptions{Shapes: given}); err != nil || s.Costs[1].Parameters != 4*9+4 || s.Assumed != nil {
		t.Errorf("with given shapes: %+v, %v", s, err)
	}
	_, err = net.Summarize(parse(t, strings.Replace(text, "crop_size: 8", "scale: 1", 1)), net.SummaryOptions{})
	if err == nil || !strings.Contains(err.Error(), `net.prototxt:3: layer "data" (Data)`) {
		t.Errorf("no size: %v", err)
	}
}
