package graph

import (
	"fmt"
	"io"
	"strings"

	"github.com/gocaffe/gocaffe/engine"
)

// OpText is an op with its attributes, without the package's name.
func OpText(op engine.Op) string {
	return strings.TrimPrefix(fmt.Sprintf("%T%+v", op, op), "engine.")
}

// Print writes the graph, a node a line. It is what `gocaffe explain -stage
// graph` shows, and what tests pin.
func (g *Graph) Print(w io.Writer) error {
	for i, n := range g.Nodes {
		layer := "-"
		if n.Layer >= 0 {
			layer = g.Layers[n.Layer].GetName()
		}
		if _, err := fmt.Fprintf(w, "%4d %-8v %-16s %s  %s → %s\n", i, n.Dir, layer, OpText(n.Op), g.names(n.In), g.names(n.Out)); err != nil {
			return err
		}
	}
	for _, p := range g.Params {
		if _, err := fmt.Fprintf(w, "param %s[%v] lr_mult %g decay_mult %g\n", g.Values[p.Value].Name, g.Shape(p.Value), p.LRMult, p.DecayMult); err != nil {
			return err
		}
	}
	return nil
}

func (g *Graph) names(vs []Value) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		if parts[i] = "_"; v != None {
			parts[i] = fmt.Sprintf("%s[%v]", g.Values[v].Name, g.Shape(v))
		}
	}
	return strings.Join(parts, ", ")
}
