package net

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// Outputs are the blobs that no layer consumes, in byte order of their names.
func (n *Net) Outputs() []Output {
	g := n.now.graph
	weights := map[graph.Value]float32{}
	for _, l := range g.Losses {
		weights[l.Value] = l.Weight
	}
	out := make([]Output, len(g.Outputs))
	for i, name := range g.Outputs {
		v := g.Blobs[name]
		out[i] = Output{Name: name, Shape: g.Shape(v), LossWeight: weights[v]}
	}
	return out
}

// Inputs are the tops of Input layers in the net's order.
func (n *Net) Inputs() []string {
	var names []string
	for _, l := range n.spec.Layers {
		if l.GetType() == "Input" {
			names = append(names, l.GetTop()...)
		}
	}
	return names
}

// Blobs are the names of all blobs in the order in which layers make them.
func (n *Net) Blobs() []string { return n.now.graph.Names }

func unknownBlob(g *graph.Graph, name string) error {
	return fmt.Errorf("net %s: Unknown blob name %s (known: %s)", g.Name, name, strings.Join(g.Names, ", "))
}

func (n *Net) blob(name string) (graph.Value, error) {
	v, ok := n.now.graph.Blobs[name]
	if !ok {
		return graph.None, unknownBlob(n.now.graph, name)
	}
	return v, nil
}

// Shape is a blob's shape.
func (n *Net) Shape(blob string) (engine.Shape, error) {
	v, err := n.blob(blob)
	if err != nil {
		return nil, err
	}
	return n.now.graph.Shape(v), nil
}

// Read copies a blob of the last Forward: an output or one that Options keeps.
// dst has the blob's count of elements.
func (n *Net) Read(blob string, dst []float32) error {
	v, err := n.blob(blob)
	if err != nil {
		return err
	}
	return n.now.plan.Fetch(v, dst)
}

// Fetch copies any value of Graph that is kept, a version of a blob that an
// in-place layer has overwritten in Caffe (Options.KeepAll) or its gradient.
func (n *Net) Fetch(v graph.Value, dst []float32) error { return n.now.plan.Fetch(v, dst) }

// ReadGrad copies the gradient of a blob after Backward (Options.KeepAll); 0
// where none reaches it.
func (n *Net) ReadGrad(blob string, dst []float32) error {
	v, err := n.blob(blob)
	if err != nil {
		return err
	}
	d, ok := n.now.graph.Grads[v]
	if !ok {
		clear(dst)
		return nil
	}
	return n.now.plan.Fetch(d, dst)
}

// SetInput gives a top of an Input layer its data, which stays until set again.
func (n *Net) SetInput(blob string, data []float32) error {
	v, err := n.input(blob)
	if err != nil {
		return err
	}
	if want := n.now.graph.Shape(v); want.Count() != len(data) {
		return fmt.Errorf("net %s: input %s has shape %v, got %d numbers", n.Name(), blob, counted(want), len(data))
	}
	return n.now.plan.Feed(v, data)
}

func (n *Net) input(blob string) (graph.Value, error) {
	in := n.now.inputs()
	v, ok := in[blob]
	if !ok {
		return graph.None, fmt.Errorf("net %s: %s is no input (inputs: %s)", n.Name(), blob, strings.Join(slices.Sorted(maps.Keys(in)), ", "))
	}
	return v, nil
}

// SetInputShape changes the shape of a top of an Input layer; the net is
// compiled for it before the next call returns. Data that was set is lost where
// the shape changes.
func (n *Net) SetInputShape(blob string, shape engine.Shape) error {
	return n.SetInputShapes(map[string]engine.Shape{blob: shape})
}

// SetInputShapes is SetInputShape for several inputs at once, where the net
// does not work with one of them alone.
func (n *Net) SetInputShapes(shapes map[string]engine.Shape) error {
	before := maps.Clone(n.inputs)
	in := n.now.inputs()
	for blob := range shapes {
		if _, err := n.input(blob); err != nil {
			return err
		}
	}
	for _, l := range n.spec.Layers {
		if l.GetType() != "Input" {
			continue
		}
		tops := make([]engine.Shape, len(l.GetTop()))
		for i, blob := range l.GetTop() {
			tops[i] = n.now.graph.Shape(in[blob])
			if s, ok := shapes[blob]; ok {
				tops[i] = s.Clone()
			}
		}
		n.inputs[l] = tops
	}
	if err := n.reshape(); err != nil {
		n.inputs = before
		return err
	}
	return nil
}

// SetTopGrad gives an output its gradient (Options.SeedTops). An output that
// leads to no param takes none.
func (n *Net) SetTopGrad(blob string, data []float32) error {
	v, err := n.blob(blob)
	if err != nil {
		return err
	}
	seed, ok := n.now.graph.Seeds[v]
	if !ok {
		return fmt.Errorf("net %s: %s takes no gradient: it is no output, is a loss, or nothing below it learns", n.Name(), blob)
	}
	return n.now.plan.Feed(seed, data)
}
