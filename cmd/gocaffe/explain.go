package main

import (
	"errors"
	"strings"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/plan"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// explain prints what the net of -model is after one of the stages: the layers that its state keeps (spec), the ops (graph), or the
// steps that the engine runs (plan). The first word of -stage names it here; further ones are stages of the net's state.
func explain(a *app) error {
	stage, rest, _ := strings.Cut(a.flags.stage, ",")
	a.flags.stage = rest
	phase, err := a.modelPhase("explain")
	if err != nil {
		return err
	}
	switch stage {
	case "spec", "graph", "plan":
	default:
		return fatalf("gocaffe.go", 1, "explain needs -stage spec, graph or plan, not %q", stage)
	}
	s, err := a.resolve(phase)
	if err != nil {
		return err
	}
	if stage == "spec" {
		return spec.Print(a.stdout, s.Layers)
	}
	if stage == "graph" {
		g, err := a.lower(s, phase, nil)
		if err != nil {
			return err
		}
		return g.Print(a.stdout)
	}
	dev, err := a.openDevice(a.firstGPU(266, 270), 275)
	if err != nil {
		return err
	}
	return errors.Join(a.printPlan(s, phase, dev), dev.Close())
}

func (a *app) printPlan(s *spec.Net, phase caffepb.Phase, dev engine.Device) error {
	g, err := a.lower(s, phase, dev)
	if err != nil {
		return err
	}
	p, err := plan.Compile(g, dev, plan.Options{Keep: results(g)})
	if err != nil {
		return err
	}
	return errors.Join(p.Print(a.stdout), p.Close())
}

// modelPhase checks -model and gives -phase, which is TRAIN where it is not given.
func (a *app) modelPhase(command string) (caffepb.Phase, error) {
	if a.flags.model == "" {
		return 0, fatalf("gocaffe.go", 1, "%s needs the net: name its prototxt with -model", command)
	}
	return a.flags.phaseOr(caffepb.Phase_TRAIN)
}

// resolve reads -model and keeps what the phase, -level and -stage keep. Caffe's log of it is left out: stdout is what counts.
func (a *app) resolve(phase caffepb.Phase) (*spec.Net, error) {
	f, err := a.readNet()
	if err != nil {
		return nil, err
	}
	s, err := spec.Resolve(f.Net, f, a.flags.state(phase), nil)
	return s, fatalAt("net.cpp", 53, err)
}

// lower makes the graph, with a backward part in the phase TRAIN: that for the device, or without one that of a device which leaves all
// preparation to the host. Data layers are opened only for their first batch.
func (a *app) lower(s *spec.Net, phase caffepb.Phase, dev engine.Device) (*graph.Graph, error) {
	shapes, pixels := map[*spec.Layer][]engine.Shape{}, map[*spec.Layer]*engine.PixelFormat{}
	force := s.Filtered.GetForceBackward()
	draw := rng.New(0).Uint32
	quiet := *a
	quiet.log = &glog.Logger{}
	for _, l := range s.Layers {
		d, err := layers.Lookup(l)
		if err != nil || !d.Data {
			continue // Build reports what is wrong with a layer, with all that is
		}
		src, err := quiet.openSource(l, draw)
		if err != nil {
			return nil, fatalAt("net.cpp", 86, err)
		}
		shapes[l], pixels[l], err = net.FirstBatch(l, src, dev, force)
		if err = errors.Join(err, src.Close()); err != nil {
			return nil, fatalAt("net.cpp", 86, err)
		}
	}
	g, err := graph.Build(s.Layers, graph.Options{
		Name: s.Filtered.GetName(), Lower: layers.Lower, FeedShapes: shapes, Pixels: pixels, DeviceMasks: net.DrawsMasks(dev)})
	if err != nil || phase != caffepb.Phase_TRAIN {
		return g, fatalAt("net.cpp", 86, err)
	}
	return g, fatalAt("net.cpp", 200, graph.Differentiate(g, graph.GradOptions{Force: force}))
}

// results are what a net is run for: its outputs, and the gradients of its params where it has them. A plan prunes the rest.
func results(g *graph.Graph) []graph.Value {
	var keep []graph.Value
	for _, name := range g.Outputs {
		keep = append(keep, g.Blobs[name])
	}
	for _, p := range g.Params {
		if p.Grad != graph.None {
			keep = append(keep, p.Grad)
		}
	}
	return keep
}
