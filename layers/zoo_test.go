package layers_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/internal/sharedtest"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// zooNet is a net that somebody wrote, as real Caffe builds it in a phase.
type zooNet struct {
	File, Phase, Prototxt string
	Layers                [][]any // name, type, bottoms, tops
	Blobs                 map[string][]int
	Params                map[string][][]int
	Outputs               []string
}

// TestZooShapes lowers the nets of the zoo and compares layers, blobs, params and
// outputs with real Caffe's, then makes their gradients.
func TestZooShapes(t *testing.T) {
	dir := sharedtest.Dir(t, "zoo")
	copies := zooCopies(t, dir)
	for _, z := range readZoo(t, filepath.Join(dir, "shapes.jsonl.gz")) {
		t.Run(z.File+"/"+z.Phase, func(t *testing.T) { z.test(t, dir, copies) })
	}
}

// zooCopies tells where the text of a file lies that the zoo has under another
// name only.
func zooCopies(t *testing.T, dir string) map[string]string {
	t.Helper()
	index, err := os.ReadFile(filepath.Join(dir, "index.tsv"))
	check(t, err)
	copies := map[string]string{}
	for line := range strings.Lines(string(index)) {
		if cols := strings.Split(line, "\t"); len(cols) > 1 {
			if of, ok := strings.CutPrefix(cols[1], "dup of "); ok {
				copies[of] = cols[0]
			}
		}
	}
	return copies
}

// text is what was built: the given text, or the file, of any version.
func (z *zooNet) text(t *testing.T, dir string, copies map[string]string) (name string, text []byte) {
	t.Helper()
	if z.Prototxt != "" {
		return z.File, []byte(z.Prototxt)
	}
	for _, file := range []string{z.File, copies[z.File]} {
		name := filepath.Join(dir, "prototxt", filepath.FromSlash(file))
		if text, err := os.ReadFile(name); err == nil {
			return name, text
		}
	}
	t.Fatalf("%s is not in the zoo", z.File)
	return "", nil
}

func (z *zooNet) test(t *testing.T, dir string, copies map[string]string) {
	name, text := z.text(t, dir, copies)
	file, err := proto.ParseNet(name, text)
	check(t, err)
	phase := caffepb.Phase(caffepb.Phase_value[z.Phase])
	net, err := spec.Resolve(file.Net, file, &caffepb.NetState{Phase: phase.Enum()}, nil)
	check(t, err)
	g, err := graph.Build(net.Layers, graph.Options{Lower: layers.Lower})
	check(t, err)
	z.compare(t, g)
	check(t, graph.Differentiate(g, graph.GradOptions{}))
	check(t, g.Verify())
}

func (z *zooNet) compare(t *testing.T, g *graph.Graph) {
	t.Helper()
	if len(g.Layers) != len(z.Layers) {
		t.Errorf("%d layers, want %d", len(g.Layers), len(z.Layers))
	}
	for i, l := range g.Layers[:min(len(g.Layers), len(z.Layers))] {
		if z.namesake(i) {
			continue
		}
		got := fmt.Sprint([]any{l.GetName(), l.GetType(), l.GetBottom(), l.GetTop()})
		// Caffe calls a loss layer's unnamed top so.
		if want := strings.Replace(fmt.Sprint(z.Layers[i]), "[(automatic)]", "[]", 1); got != want {
			t.Errorf("layer %d is %s, want %s", i, got, want)
		}
		var params [][]int
		for _, u := range g.Uses[i] {
			params = append(params, u.Shape)
		}
		if want := z.Params[l.GetName()]; fmt.Sprint(params) != fmt.Sprint(want) {
			t.Errorf("layer %s has params %v, want %v", l.GetName(), params, want)
		}
	}
	for name, want := range z.Blobs {
		if name == "(automatic)" {
			continue
		}
		if v, ok := g.Blobs[name]; !ok || !slices.Equal(g.Shape(v), want) {
			t.Errorf("blob %s: there %v, shape %v, want %v", name, ok, g.Shape(max(v, 0)), want)
		}
	}
	if !slices.Equal(g.Outputs, z.Outputs) {
		t.Errorf("outputs %v, want %v", g.Outputs, z.Outputs)
	}
}

// namesake reports whether a later layer has the name of layer i: what was written
// down by name is then the later one's.
func (z *zooNet) namesake(i int) bool {
	return slices.ContainsFunc(z.Layers[i+1:], func(l []any) bool { return l[0] == z.Layers[i][0] })
}

func readZoo(t *testing.T, path string) []*zooNet {
	t.Helper()
	f, err := os.Open(path)
	check(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	check(t, err)
	var nets []*zooNet
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		n := new(zooNet)
		check(t, json.Unmarshal(lines.Bytes(), n))
		nets = append(nets, n)
	}
	check(t, lines.Err())
	return nets
}
