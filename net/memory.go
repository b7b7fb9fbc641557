package net

import (
	"errors"
	"fmt"

	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// Memory is what a command that runs a net takes at its peak, in bytes. On the CPU it is
// resident memory; pages of databases that the system keeps for the process are not in it.
type Memory struct {
	Command     string `json:"command"`       // time, train or test
	Parameters  int64  `json:"parameters"`    // in the device's layouts
	Gradients   int64  `json:"gradients"`     // of the parameters
	History     int64  `json:"history"`       // the solver's, and what layers keep between batches
	Copies      int64  `json:"weight_copies"` // parameters in further layouts
	Activations int64  `json:"activations"`   // data, blobs, their gradients and the kernels' scratch, as far as they do not lie where gradients of parameters lie later
	Batches     int64  `json:"batches"`       // that data layers hold ready
	Tests       int64  `json:"tests"`         // what the test nets of a training add
	Program     int64  `json:"program"`       // code, libraries, kernels and the description of the net
	Peak        int64  `json:"peak"`          // all of them
}

// predict compiles the net as the commands of its phase would.
func (s *Summary) predict(lower func() (*graph.Graph, error), phase caffepb.Phase, force bool, o SummaryOptions) error {
	var program int64
	measure := func() {
		if program == 0 && o.Program != nil {
			program = o.Program()
		}
	}
	runs := []Memory{{Command: "time"}, {Command: "train"}}
	if phase == caffepb.Phase_TEST {
		runs = []Memory{{Command: "time"}, {Command: "test"}}
	}
	for _, m := range runs {
		g, err := lower()
		if err != nil {
			return err
		}
		options := Options{Device: o.Device, Log: silence{}, Backward: phase == caffepb.Phase_TRAIN, ForceBackward: force}
		if m.Command == "train" {
			options.Update = &o.Update
		}
		if err := m.compile(g, options, measure); err != nil {
			s.Assumed = append(s.Assumed, fmt.Sprintf("the memory of %s is not predicted: %v", m.Command, err))
			continue
		}
		m.Program = program
		m.Peak = m.Parameters + m.Gradients + m.History + m.Copies + m.Activations + m.Batches + m.Program
		s.Memory = append(s.Memory, m)
	}
	return nil
}

// AddTest adds a test net, whose summary is t, to the memory of a training: all but the
// parameters, which it shares.
func (s *Summary) AddTest(t *Summary) {
	for i := range s.Memory {
		m := &s.Memory[i]
		for _, of := range t.Memory {
			if m.Command == "train" && of.Command == "test" {
				adds := of.History + of.Copies + of.Activations + of.Batches
				m.Tests, m.Peak = m.Tests+adds, m.Peak+adds
			}
		}
	}
	for _, text := range t.Assumed {
		s.Assumed = append(s.Assumed, "test net: "+text)
	}
}

// compile fills in what the plan of g takes. measure is called while its kernels are there.
func (m *Memory) compile(g *graph.Graph, o Options, measure func()) (err error) {
	n := &Net{o: o, storage: plan.NewStorage(o.Device)}
	defer func() { err = errors.Join(err, n.storage.Close()) }()
	c, err := n.compile(g)
	if err != nil {
		return err
	}
	measure()
	p := c.plan.Memory()
	m.Parameters, m.Gradients, m.History, m.Copies = p.Params, p.Gradients, p.States, p.Copies
	m.Activations = p.Activations - p.Gradients - p.Copies
	for _, f := range g.Feeds {
		if f.Kind != graph.FeedData {
			continue
		}
		for _, v := range f.Values {
			m.Batches += int64(g.Layers[f.Layer].GetDataParam().GetPrefetch()) * g.Desc(v).Bytes()
		}
	}
	return c.plan.Close()
}
