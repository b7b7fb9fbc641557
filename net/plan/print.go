package plan

import (
	"fmt"
	"io"
	"strings"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
)

// Print writes the plan, a step a line: direction, layer, op, inputs → outputs
// with shape and layout. It is what `gocaffe explain -stage plan` shows.
func (p *Plan) Print(w io.Writer) error {
	for i, s := range p.steps {
		host := ""
		if s.OnHost() {
			host = " (host)"
		}
		_, err := fmt.Fprintf(w, "%4d %-8v %-16s %s%s  %s → %s\n", i, s.Dir, p.layerName(s), graph.OpText(s.Op), host, p.names(s.In), p.names(s.Out))
		if err != nil {
			return err
		}
	}
	m := p.Memory()
	_, err := fmt.Fprintf(w, "bytes: params %d, states %d, activations %d\n", m.Params, m.States, m.Activations)
	return err
}

func (p *program) layerName(s *Step) string {
	if s.Layer < 0 {
		return "-"
	}
	return p.g.Layers[s.Layer].GetName()
}

func (p *program) names(vs []graph.Value) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		if parts[i] = "_"; v == graph.None {
			continue
		}
		d := p.desc(v)
		parts[i] = fmt.Sprintf("%s[%v]", p.values[v].Name, d.Shape)
		if d.DType != engine.F32 {
			parts[i] += d.DType.String()
		}
		if d.Layout != engine.Plain {
			parts[i] += p.layoutName(d.Layout)
		}
	}
	return strings.Join(parts, ", ")
}

// Name is the name of a value, the plan's own ones included.
func (p *Plan) Name(v graph.Value) string { return p.values[v].Name }
