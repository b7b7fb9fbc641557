package net

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

// Sink takes what a layer such as HDF5Output writes. It is used by one goroutine
// at a time.
type Sink interface {
	// Write takes the layer's bottoms after a forward pass; data is the sink's to
	// keep.
	Write(shapes []engine.Shape, data [][]float32) error
	// Close completes the file.
	Close() error
}

type sink struct {
	Sink
	layer *spec.Layer
}

// openSinks opens the sinks of all layers that the net has as it is lowered.
func (n *Net) openSinks() error {
	for _, out := range n.now.graph.Sinks {
		l := n.spec.Layers[out.Layer]
		if n.o.Sink == nil {
			return l.Errorf("nothing can be written here; remove the layer")
		}
		s, err := n.o.Sink(l)
		if err != nil {
			return l.Errorf("%w", err)
		}
		n.sinks[out.Layer] = &sink{Sink: s, layer: l}
	}
	return nil
}

// drain gives the sinks what the last forward pass computed for them.
func (n *Net) drain() error {
	g := n.now.graph
	for _, out := range g.Sinks {
		shapes, data := make([]engine.Shape, len(out.Values)), make([][]float32, len(out.Values))
		for i, v := range out.Values {
			shapes[i] = g.Shape(v).Clone()
			data[i] = make([]float32, shapes[i].Count())
			if err := n.now.plan.Fetch(v, data[i]); err != nil {
				return err
			}
		}
		s := n.sinks[out.Layer]
		if err := s.Write(shapes, data); err != nil {
			return s.layer.Errorf("%w", err)
		}
	}
	return nil
}
