// Package graph is the net as values and ops: what is computed, in which order
// it was written down, with the gradients and the solver's update, and no word
// of a device. A Graph is built by lowering layers through a Builder.
package graph

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// Value is one tensor of the graph, assigned once. Its facts are in
// Graph.Values.
type Value int32

// None is no value: an output that is not there, a gradient of zero.
const None Value = -1

// Origin is where a value comes from.
type Origin uint8

// The origins.
const (
	FromOp    Origin = iota // output of a node
	FromFeed                // written by the host before each run
	FromParam               // a layer's blob, kept between runs
	FromState               // what else outlives a run: history, hyper, a recurrent layer's state
)

// ValueInfo is what is known of a value.
type ValueInfo struct {
	Name   string // for people: "conv1", "conv1#2", "d(conv1)", "conv1[0]"
	Desc   engine.Desc
	Origin Origin
	Node   int // index of the producing node, -1 without one
}

// Direction is the part of an iteration that a node belongs to.
type Direction uint8

// The directions, in the order in which they run.
const (
	Forward Direction = iota
	Backward
	ApplyUpdate
)

func (d Direction) String() string { return [...]string{"forward", "backward", "update"}[d] }

// Node is one op with its inputs and outputs. An unread output stays in Out; the
// plan prunes it.
type Node struct {
	Op      engine.Op
	In, Out []Value
	Layer   int // index in Graph.Layers, -1 where no layer caused it
	Dir     Direction
	NoGrad  bool // gradients stop here (propagate_down: false)
}

// Param is one blob of a layer, in the order of the net: Caffe's learnable
// parameters, BatchNorm's statistics included.
type Param struct {
	Value     Value
	Grad      Value // None where no gradient reaches it or lr_mult is 0
	Layer     int   // index in Graph.Layers of its owner
	Index     int   // which blob of the layer
	Name      string
	Filler    *caffepb.FillerParameter // nil: all zeros
	LRMult    float32
	DecayMult float32
}

// Use is a layer's blob: an own param, or another layer's by param name.
type Use struct {
	Param int // index in Graph.Params
	Shape engine.Shape
	// Filler is the layer's own: Caffe draws a blob that is another layer's too,
	// before it drops it, which moves the random stream.
	Filler *caffepb.FillerParameter
}

// FeedKind is how the host makes a feed's values.
type FeedKind uint8

// The kinds of feed.
const (
	FeedInput  FeedKind = iota // set by the caller (Input layers)
	FeedData                   // the next batch of a data layer
	FeedFiller                 // drawn by fillers (DummyData)
	FeedMask                   // Dropout's: 0, or 1/(1−ratio) with probability 1−ratio
	FeedSeed                   // of an engine.RandomMask: other numbers each run
	FeedMean                   // of an engine.Pixels, written once
	FeedFile                   // read once from a .binaryproto (InfogainLoss)
)

// Feed is values that the host writes before a run. Feeds are in the order of
// their layers, which is the order of Caffe's random draws.
type Feed struct {
	Kind    FeedKind
	Layer   int
	Values  []Value
	Fillers []*caffepb.FillerParameter // FeedFiller: one a value
	Pixels  bool                       // FeedData: the values are bytes, windows, and labels if the layer has two tops
	Mean    []float32                  // FeedMean
	Ratio   float32                    // FeedMask: the share of zeros
	File    string                     // FeedFile: its name
}

// Assign says that after a run the param or state To holds what Value was.
type Assign struct {
	To, Value Value
}

// Selection is a choice of items whose number the values decide: the entries of
// Selector that are not 0, Count of them as the graph is lowered.
type Selection struct {
	Layer    int
	Selector Value
	Count    int
}

// Sink is values that the host reads after each forward pass and writes
// somewhere.
type Sink struct {
	Layer  int
	Values []Value
}

// Loss is a top that counts as loss: weight times the sum of its elements.
type Loss struct {
	Value  Value
	Weight float32
	Layer  int
	Top    int
}

// Graph is a whole net.
type Graph struct {
	Name    string
	Layers  []*spec.Layer
	Values  []ValueInfo
	Nodes   []Node // in an order in which they can run
	Params  []Param
	Uses    [][]Use   // by layer: its blobs in order
	Redraws [][]Use   // by layer: what Caffe draws behind its blobs and drops (Builder.Redraw)
	Tops    [][]Value // by layer: its tops; longer than GetTop() where a loss layer names none
	Bottoms [][]Value
	Blobs   map[string]Value // a blob's last version by name
	Names   []string         // the keys of Blobs in the order of first appearance
	Feeds   []Feed
	Assigns []Assign
	Sinks   []Sink // in the order of their layers
	// Selections are in the order of their layers. Whoever runs the graph must see
	// that the counts are right.
	Selections []Selection
	Losses     []Loss
	Outputs    []string // blobs that nobody consumes, in byte order of their names

	Loss  Value           // total weighted loss, scalar; None without a loss
	Seeds map[Value]Value // gradients that the caller feeds (Options.SeedTops): top → its gradient
	Grads map[Value]Value // gradient of each value that has one, after Differentiate

	custom map[Value]customGrad
}

// Desc is the descriptor of a value.
func (g *Graph) Desc(v Value) engine.Desc { return g.Values[v].Desc }

// Shape is the shape of a value.
func (g *Graph) Shape(v Value) engine.Shape { return g.Values[v].Desc.Shape }
