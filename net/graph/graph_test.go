package graph_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

var update = flag.Bool("update", false, "write the golden files of printed graphs anew")

// small is the graph of testdata/small.prototxt with gradients and update.
func small(t *testing.T) *graph.Graph {
	t.Helper()
	f, err := proto.ReadNet(filepath.Join("testdata", "small.prototxt"))
	if err != nil {
		t.Fatal(err)
	}
	net, err := spec.Resolve(f.Net, f, &caffepb.NetState{Phase: caffepb.Phase_TRAIN.Enum()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := graph.Build(net.Layers, graph.Options{Name: "small", Lower: layers.Lower})
	if err != nil {
		t.Fatal(err)
	}
	if err := graph.Differentiate(g, graph.GradOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := graph.AddUpdate(g, graph.UpdateOptions{Rule: engine.Nesterov, Momentum: 0.9, Clip: true, Accumulate: true}); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestPrint pins the graph: what a reader of `gocaffe explain -stage graph`
// sees, and every decision of Build, Differentiate and AddUpdate with it.
func TestPrint(t *testing.T) {
	var got bytes.Buffer
	if err := small(t).Print(&got); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "small.graph")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the graph has changed (go test -update writes it anew):\n%s", got.String())
	}
}

// TestVerify checks that a graph from Build is well formed and that Verify sees
// one that is not.
func TestVerify(t *testing.T) {
	g := small(t)
	if err := g.Verify(); err != nil {
		t.Fatal(err)
	}
	first, last := g.Nodes[0], g.Nodes[len(g.Nodes)-1]
	g.Nodes[0], g.Nodes[len(g.Nodes)-1] = last, first
	if g.Verify() == nil {
		t.Error("Verify accepts a graph that reads a value before it is made")
	}
}

// TestNothingBelowLearns checks that no gradient is made where none is wanted:
// conv's weights do not learn and x needs none, so conv has a bias gradient only.
func TestNothingBelowLearns(t *testing.T) {
	for _, n := range small(t).Nodes {
		switch n.Op.(type) {
		case engine.ConvGradData, engine.ConvGradWeights:
			t.Errorf("needless gradient: %s", graph.OpText(n.Op))
		}
	}
}
