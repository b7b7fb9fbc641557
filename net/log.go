package net

import (
	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

// initLog writes what Caffe logs while it builds a net, layer by layer. Parsers
// read it, so its lines name Caffe's source lines.
type initLog struct {
	log     Logger
	layers  []*spec.Layer
	created int   // layers whose "Creating layer" is out
	joined  int   // layers whose bottoms and tops are
	done    int   // layers that are set up
	memory  int64 // elements of all tops so far
}

func newInitLog(log Logger, layers []*spec.Layer) *initLog {
	return &initLog{log: log, layers: layers}
}

// creating announces layer i.
func (w *initLog) creating(i int) {
	w.log.Infof("layer_factory.hpp", 77, "Creating layer %s", w.layers[i].GetName())
	w.created = i + 1
}

// connect tells the bottoms and tops of layer i.
func (w *initLog) connect(i int) {
	l := w.layers[i]
	name := l.GetName()
	w.log.Infof("net.cpp", 86, "Creating Layer %s", name)
	for _, b := range l.GetBottom() {
		w.log.Infof("net.cpp", 408, "%s <- %s", name, b)
	}
	for j, t := range l.GetTop() {
		if j < len(l.GetBottom()) && l.GetBottom()[j] == t {
			w.log.Infof("net.cpp", 369, "%s -> %s (in-place)", name, t)
		} else {
			w.log.Infof("net.cpp", 382, "%s -> %s", name, t)
		}
	}
	for range automaticTops(l) {
		w.log.Infof("net.cpp", 382, "%s -> %s", name, automatic)
	}
	w.joined = i + 1
}

// automaticTops is how many tops a loss layer has that the prototxt leaves out.
func automaticTops(l *spec.Layer) int {
	d, err := layers.Lookup(l)
	if err != nil || !d.Loss {
		return 0
	}
	return max(0, d.Tops.Min-len(l.GetTop()))
}

// setUp tells of the layers up to end whose shapes g knows.
func (w *initLog) setUp(g *graph.Graph, end int) {
	losses := map[[2]int]float32{}
	for _, l := range g.Losses {
		losses[[2]int{l.Layer, l.Top}] = l.Weight
	}
	for i := w.done; i < end; i++ {
		if i >= w.created {
			w.creating(i)
		}
		if i >= w.joined {
			w.connect(i)
		}
		w.inner(i)
		w.log.Infof("net.cpp", 124, "Setting up %s", w.layers[i].GetName())
		for j := range len(w.layers[i].GetTop()) + automaticTops(w.layers[i]) {
			shape := g.Shape(g.Tops[i][j])
			w.log.Infof("net.cpp", 131, "Top shape: %s", counted(shape))
			if weight, ok := losses[[2]int{i, j}]; ok {
				w.log.Infof("net.cpp", 134, "    with loss weight %s", glog.G(weight))
			}
			w.memory += int64(shape.Count())
		}
		w.log.Infof("net.cpp", 139, "Memory required for data: %d", 4*w.memory)
		w.shared(g, i)
	}
	w.done = end
}

// inner tells of the layers that a layer makes while it sets itself up. What
// data layers log then is their source's.
func (w *initLog) inner(i int) {
	l := w.layers[i]
	switch l.GetType() {
	case "SoftmaxWithLoss", "InfogainLoss":
		w.log.Infof("layer_factory.hpp", 77, "Creating layer %s", l.GetName())
	case "Scale":
		if l.GetScaleParam().GetBiasTerm() {
			w.log.Infof("layer_factory.hpp", 77, "Creating layer %s", l.GetName())
		}
	}
}

// shared tells which blobs of layer i are another layer's.
func (w *initLog) shared(g *graph.Graph, i int) {
	for j, u := range g.Uses[i] {
		p := g.Params[u.Param]
		if p.Layer == i && p.Index == j {
			continue
		}
		w.log.Infof("net.cpp", 467, "Sharing parameters '%s' owned by layer '%s', param index %d",
			p.Name, g.Layers[p.Layer].GetName(), p.Index)
	}
}

// finish tells of gradients and outputs.
func (w *initLog) finish(g *graph.Graph, n needs) {
	for i := len(w.layers) - 1; i >= 0; i-- {
		if n.layers[i] {
			w.log.Infof("net.cpp", 200, "%s needs backward computation.", w.layers[i].GetName())
		} else {
			w.log.Infof("net.cpp", 202, "%s does not need backward computation.", w.layers[i].GetName())
		}
	}
	for _, name := range g.Outputs {
		w.log.Infof("net.cpp", 244, "This network produces output %s", name)
	}
	w.log.Infof("net.cpp", 257, "Network initialization done.")
}
