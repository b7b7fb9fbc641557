package net

import (
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

// needs is what Caffe says of each layer: whether it computes gradients, and of
// which bottoms. The plan computes less: this is for the log.
type needs struct {
	layers  []bool
	bottoms [][]bool
}

// findNeeds follows Caffe: gradients are needed above a param that learns, and
// below a loss, unless propagate_down says otherwise.
func findNeeds(g *graph.Graph) needs {
	n := needs{layers: make([]bool, len(g.Layers)), bottoms: make([][]bool, len(g.Layers))}
	blobs := map[string]bool{}
	for i, l := range g.Layers {
		n.layers[i] = n.above(g, i, blobs)
		if n.layers[i] {
			for _, top := range l.GetTop() {
				blobs[top] = true
			}
		}
	}
	losses := map[int][]int{}
	for _, l := range g.Losses {
		losses[l.Layer] = append(losses[l.Layer], l.Top)
	}
	underLoss, skip := map[string]bool{}, map[string]bool{}
	for i := len(g.Layers) - 1; i >= 0; i-- {
		n.below(g.Layers[i], i, len(losses[i]) > 0, underLoss, skip)
	}
	return n
}

// above tells whether a bottom of the layer or a blob of its own learns.
func (n *needs) above(g *graph.Graph, i int, blobs map[string]bool) bool {
	l := g.Layers[i]
	need := false
	for j, b := range l.GetBottom() {
		need = need || blobs[b]
		want := blobs[b]
		if down, set := l.Propagates(j); set {
			want = down
		}
		n.bottoms[i] = append(n.bottoms[i], want)
	}
	for j := range g.Uses[i] {
		need = need || learns(l, j)
	}
	return need
}

// learns tells whether blob j has a rate in the prototxt. BatchNorm's have by
// default, for Caffe stops them only after it has looked.
func learns(l *spec.Layer, j int) bool {
	p := l.Param(j)
	return p == nil || p.GetLrMult() != 0
}

// below drops what no loss reads, and layers all of whose tops have readers
// that want no gradient.
func (n *needs) below(l *spec.Layer, i int, loss bool, underLoss, skip map[string]bool) {
	contributes, skipped := loss, len(l.GetTop()) > 0 || !loss
	for _, top := range l.GetTop() {
		contributes = contributes || underLoss[top]
		skipped = skipped && skip[top]
	}
	if n.layers[i] && skipped {
		n.layers[i] = false
		clear(n.bottoms[i])
	}
	n.layers[i] = n.layers[i] && contributes
	for j, b := range l.GetBottom() {
		if contributes {
			underLoss[b] = true
		} else {
			n.bottoms[i][j] = false
		}
		if !n.bottoms[i][j] {
			skip[b] = true
		}
	}
}
