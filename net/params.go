package net

import (
	"errors"

	"github.com/gocaffe/gocaffe/net/graph"
)

var errNoUpdate = errors.New("net: it was built without a solver's update")

// Params are the learnable params in Caffe's order.
func (n *Net) Params() []ParamInfo {
	g := n.now.graph
	out := make([]ParamInfo, len(g.Params))
	for i, p := range g.Params {
		out[i] = ParamInfo{
			Layer: g.Layers[p.Layer].GetName(), Index: p.Index, Name: p.Name, Shape: g.Shape(p.Value),
			LRMult: p.LRMult, DecayMult: p.DecayMult,
		}
	}
	return out
}

// ReadParam copies param i to dst.
func (n *Net) ReadParam(i int, dst []float32) error {
	return n.now.plan.Fetch(n.now.graph.Params[i].Value, dst)
}

// WriteParam sets param i.
func (n *Net) WriteParam(i int, src []float32) error {
	return n.now.plan.Store(n.now.graph.Params[i].Value, src)
}

// ReadDiff copies the gradient of param i: after ApplyUpdate with
// UpdateOptions.KeepStep, the step that was subtracted. It can be read in a net
// without an update, and with one under KeepStep or Options.KeepAll.
func (n *Net) ReadDiff(i int, dst []float32) error {
	if !n.keepsDiffs() {
		return errors.New("net: gradients of params are not kept; set UpdateOptions.KeepStep or Options.KeepAll")
	}
	v := n.now.diff(i)
	if v == graph.None {
		clear(dst)
		return nil
	}
	return n.now.plan.Fetch(v, dst)
}

// ClearDiffs sets the gradients that add up over runs of Backward to 0
// (UpdateOptions.Accumulate).
func (n *Net) ClearDiffs() error {
	if n.now.update == nil {
		return nil
	}
	for _, v := range n.now.update.Sums {
		if v == graph.None {
			continue
		}
		if err := n.now.plan.Zero(v); err != nil {
			return err
		}
	}
	return nil
}

// SetHyper sets the engine.HyperSize numbers that the update reads.
func (n *Net) SetHyper(h []float32) error {
	if n.now.update == nil {
		return errNoUpdate
	}
	return n.now.plan.Store(n.now.update.Hyper, h)
}

// SumSq is Σ g² over the gradients of all params (UpdateOptions.Clip), before
// engine.HyperScale.
func (n *Net) SumSq() (float32, error) {
	if n.now.update == nil {
		return 0, errNoUpdate
	}
	if n.now.update.SumSq == graph.None {
		return 0, nil
	}
	return n.scalar(n.now.update.SumSq)
}

// NumHistory is how many history tensors the solver's rule keeps: one or two
// for each param, all first ones before the second ones.
func (n *Net) NumHistory() int {
	if n.now.update == nil {
		return 0
	}
	return len(n.now.update.Histories)
}

// ReadHistory copies history i; its shape is that of param i mod len(Params()).
func (n *Net) ReadHistory(i int, dst []float32) error {
	return n.now.plan.Fetch(n.now.update.Histories[i], dst)
}

// WriteHistory sets history i.
func (n *Net) WriteHistory(i int, src []float32) error {
	return n.now.plan.Store(n.now.update.Histories[i], src)
}
