package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
	"github.com/gocaffe/gocaffe/net/spec"
)

// netSummary is what summary tells of a net, as its JSON has it. Shapes are Caffe's; a scalar's is empty.
type netSummary struct {
	Name    string             `json:"name"`
	Phase   string             `json:"phase"`
	Layers  [][4]any           `json:"layers"` // name, type, bottoms, tops
	Blobs   map[string][]int   `json:"blobs"`
	Params  map[string][][]int `json:"params"` // by layer, shared ones with each of their layers
	Inputs  []string           `json:"inputs"`
	Outputs []string           `json:"outputs"`

	Costs        map[string]cost `json:"costs"` // by layer
	Parameters   int64           `json:"parameters"`
	MultiplyAdds int64           `json:"multiply_adds"` // of one forward pass
	Memory       memory          `json:"memory"`
}

// cost is what one layer takes.
type cost struct {
	Parameters   int64 `json:"parameters"` // of its own: a shared one counts at its owner
	MultiplyAdds int64 `json:"multiply_adds"`
}

// memory is in bytes. CaffeData is the number that Caffe logs as "Memory required for data".
type memory struct {
	CaffeData   int64 `json:"caffe_data"`
	Params      int64 `json:"params"`
	Activations int64 `json:"activations"`
	Workspace   int64 `json:"workspace"`
}

// summary describes the net of -model in -phase: layers, shapes, parameters, multiply-adds and memory.
func summary(a *app) error {
	phase, err := a.modelPhase("summary")
	if err != nil {
		return err
	}
	s, err := a.resolve(phase)
	if err != nil {
		return err
	}
	g, err := a.lower(s, phase)
	if err != nil {
		return err
	}
	m, err := estimate(g)
	if err != nil {
		return err
	}
	n := summarize(s, g, m)
	if a.flags.json {
		e := json.NewEncoder(a.stdout)
		e.SetEscapeHTML(false)
		return e.Encode(n)
	}
	return n.print(a.stdout, g)
}

// summarize collects what is known of a lowered net.
func summarize(s *spec.Net, g *graph.Graph, m plan.Memory) *netSummary {
	n := &netSummary{
		Name: g.Name, Phase: s.State().GetPhase().String(), Blobs: map[string][]int{}, Params: map[string][][]int{},
		Inputs: []string{}, Outputs: append([]string{}, g.Outputs...), Costs: map[string]cost{},
		Memory: memory{Params: m.Params, Activations: m.Activations, Workspace: m.Workspace},
	}
	for i, l := range g.Layers {
		n.Layers = append(n.Layers, [4]any{l.GetName(), l.GetType(), append([]string{}, l.GetBottom()...), append([]string{}, l.GetTop()...)})
		if l.GetType() == "Input" {
			n.Inputs = append(n.Inputs, l.GetTop()...)
		}
		c := cost{}
		for _, u := range g.Uses[i] {
			n.Params[l.GetName()] = append(n.Params[l.GetName()], dims(u.Shape))
			if g.Params[u.Param].Layer == i {
				c.Parameters += int64(u.Shape.Count())
			}
		}
		for _, v := range g.Tops[i] {
			n.Memory.CaffeData += 4 * int64(g.Shape(v).Count())
		}
		n.Parameters += c.Parameters
		n.Costs[l.GetName()] = c
	}
	for name, v := range g.Blobs {
		n.Blobs[name] = dims(g.Shape(v))
	}
	n.multiplyAdds(g)
	return n
}

func dims(s engine.Shape) []int { return append([]int{}, s...) }

// multiplyAdds counts those of convolutions and matrix products of the forward pass; everything else is small beside them.
func (n *netSummary) multiplyAdds(g *graph.Graph) {
	for _, node := range g.Nodes {
		if node.Dir != graph.Forward || node.Layer < 0 {
			continue
		}
		var macs int64
		switch op := node.Op.(type) {
		case engine.Conv:
			macs = count(g, node.Out[0]) * perOutput(g.Shape(node.In[1]))
		case engine.ConvGradData: // a deconvolution's forward pass
			macs = count(g, node.In[0]) * perOutput(g.Shape(node.In[1]))
		case engine.Gemm:
			inner := g.Shape(node.In[0])[1]
			if op.TransA {
				inner = g.Shape(node.In[0])[0]
			}
			macs = count(g, node.Out[0]) * int64(inner)
		}
		name := g.Layers[node.Layer].GetName()
		c := n.Costs[name]
		c.MultiplyAdds += macs
		n.Costs[name] = c
		n.MultiplyAdds += macs
	}
}

func count(g *graph.Graph, v graph.Value) int64 { return int64(g.Shape(v).Count()) }

// perOutput is the number of multiply-adds of one output of a convolution with weights of this shape.
func perOutput(w engine.Shape) int64 { return int64(w.Count() / max(w[0], 1)) }

// print writes a table, a layer a line, and the sums.
func (n *netSummary) print(w io.Writer, g *graph.Graph) error {
	fmt.Fprintf(w, "%s (%s)\n", n.Name, n.Phase)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "layer\ttype\tbottoms\ttops\tparams\tparameters\tmultiply-adds")
	for i, l := range g.Layers {
		var tops, params []string
		for k, name := range l.GetTop() {
			tops = append(tops, fmt.Sprintf("%s(%v)", name, g.Shape(g.Tops[i][k])))
		}
		for _, u := range g.Uses[i] {
			params = append(params, "("+u.Shape.String()+")")
		}
		c := n.Costs[l.GetName()]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.GetName(), l.GetType(), strings.Join(l.GetBottom(), " "), strings.Join(tops, " "),
			strings.Join(params, " "), number(c.Parameters), number(c.MultiplyAdds))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	m := n.Memory
	_, err := fmt.Fprintf(w, "inputs: %s\noutputs: %s\nparameters: %d\nmultiply-adds: %d\nmemory: params %s, activations %s, workspace %s (Caffe's data: %s)\n",
		strings.Join(n.Inputs, " "), strings.Join(n.Outputs, " "), n.Parameters, n.MultiplyAdds, mib(m.Params), mib(m.Activations), mib(m.Workspace), mib(m.CaffeData))
	return err
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func mib(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
