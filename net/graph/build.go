package graph

import (
	"errors"
	"fmt"
	"sort"
	"strconv"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
)

// LowerFunc emits a layer's forward ops and gives its tops. It must be pure: it
// sees no device, no phase but the layer's, no clock.
type LowerFunc func(l *spec.Layer, b *Builder, bottom []Value) []Value

// Options says what Build needs to know besides the layers.
type Options struct {
	Name string
	// Lower finds the lowering of a layer's type and whether it is a loss,
	// whose first top then has loss_weight 1 where none is given.
	Lower func(l *spec.Layer) (lower LowerFunc, loss bool, err error)
	// FeedShapes gives the shapes of the next batch of each data layer. Layers may
	// have one name, so names do not do.
	FeedShapes map[*spec.Layer][]engine.Shape
	// Pixels says how the bytes of data layers whose pictures the device transforms become
	// numbers (Builder.Data).
	Pixels map[*spec.Layer]*engine.PixelFormat
	// Selected says how many items a layer selects (Builder.Select).
	Selected map[*spec.Layer]int
	// DeviceMasks lets the device draw Dropout's masks, whose numbers are not Caffe's then
	// (Builder.Mask).
	DeviceMasks bool
}

// Build lowers the layers in order: the forward part of the graph. All layers
// that fail are reported, as far as they do not follow from one another.
func Build(layers []*spec.Layer, o Options) (*Graph, error) {
	g := &Graph{
		Name: o.Name, Layers: layers, Blobs: map[string]Value{}, Loss: None,
		Uses: make([][]Use, len(layers)), Redraws: make([][]Use, len(layers)),
		Tops: make([][]Value, len(layers)), Bottoms: make([][]Value, len(layers)),
		Seeds: map[Value]Value{}, Grads: map[Value]Value{},
	}
	b := &Builder{g: g, shared: map[string]int{}, feeds: o.FeedShapes, pixels: o.Pixels, selected: o.Selected, deviceMasks: o.DeviceMasks, custom: map[Value]customGrad{}}
	versions := map[spec.Blob]Value{}
	consumed := map[string]bool{}
	var errs []error
	for i := range layers {
		b.layer, b.err = i, nil
		b.lower(o, versions, consumed)
		if b.err != nil {
			errs = append(errs, b.err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, name := range g.Names {
		if !consumed[name] {
			g.Outputs = append(g.Outputs, name)
		}
	}
	sort.Strings(g.Outputs)
	b.layer = -1
	b.totalLoss()
	g.custom = b.custom
	return g, b.err
}

// lower lowers the current layer. A bottom that failed makes the layer fail
// silently: its error is already known.
func (b *Builder) lower(o Options, versions map[spec.Blob]Value, consumed map[string]bool) {
	g, l := b.g, b.g.Layers[b.layer]
	bottoms := make([]Value, len(l.Bottoms))
	for i, blob := range l.Bottoms {
		consumed[blob.Name] = true
		v, ok := versions[blob]
		if !ok {
			return
		}
		if down, _ := l.Propagates(i); !down {
			v = b.Stop(v)
		}
		bottoms[i] = v
	}
	lower, loss, err := o.Lower(l)
	if err != nil {
		b.Fail(err)
		return
	}
	tops := lower(l, b, bottoms)
	if b.err != nil {
		return
	}
	if len(tops) < len(l.Tops) {
		b.Failf("makes %d tops, the prototxt names %d", len(tops), len(l.Tops))
		return
	}
	if n := len(l.GetParam()); n > len(g.Uses[b.layer]) {
		b.Failf("Too many params specified for layer %s: %d, it has %d blobs", l.GetName(), n, len(g.Uses[b.layer]))
		return
	}
	g.Bottoms[b.layer] = bottoms
	b.nameTops(l, tops, versions, consumed)
	b.losses(l, loss)
}

// Stop passes v on without its gradient: what computes with it takes it as given.
func (b *Builder) Stop(v Value) Value {
	out := b.Alias(v)
	if out != None {
		b.g.Nodes[b.g.Values[out].Node].NoGrad = true
	}
	return out
}

// nameTops enters the tops as blobs. A top that is a bottom, or a value that
// already is a blob, becomes an alias, so that each blob has its own gradient.
func (b *Builder) nameTops(l *spec.Layer, tops []Value, versions map[spec.Blob]Value, consumed map[string]bool) {
	g := b.g
	for i, v := range tops {
		if i < len(l.Tops) {
			if b.isBlob(v, versions) {
				v = b.Alias(v)
			}
			blob := l.Tops[i]
			g.Values[v].Name = blob.String()
			if _, seen := g.Blobs[blob.Name]; !seen {
				g.Names = append(g.Names, blob.Name)
			}
			g.Blobs[blob.Name] = v
			versions[blob] = v
			consumed[blob.Name] = false
		}
		g.Tops[b.layer] = append(g.Tops[b.layer], v)
	}
}

func (b *Builder) isBlob(v Value, versions map[spec.Blob]Value) bool {
	if b.g.Values[v].Origin == FromParam {
		return true
	}
	for _, u := range versions {
		if u == v {
			return true
		}
	}
	return false
}

// losses records which tops count as loss.
func (b *Builder) losses(l *spec.Layer, loss bool) {
	g := b.g
	given := l.GetLossWeight()
	if len(given) > 0 && len(given) != len(l.GetTop()) {
		b.Failf("loss_weight must be unspecified or specified once per top blob.")
		return
	}
	for i, v := range g.Tops[b.layer] {
		var w float32
		switch {
		case i < len(given):
			w = given[i]
		case len(given) == 0 && loss && i == 0:
			w = 1
		}
		if w != 0 {
			g.Losses = append(g.Losses, Loss{Value: v, Weight: w, Layer: b.layer, Top: i})
		}
	}
}

// totalLoss adds up the losses: Σ weight·Σ elements.
func (b *Builder) totalLoss() {
	g := b.g
	if len(g.Losses) == 0 {
		return
	}
	var terms []Value
	var weights []float32
	for _, l := range g.Losses {
		v := l.Value
		if len(g.Shape(v)) > 0 {
			v = b.Op(engine.Reduce{Fn: engine.ReduceSum, Coeff: 1}, v)
		}
		terms, weights = append(terms, v), append(weights, l.Weight)
	}
	if len(terms) == 1 && weights[0] == 1 {
		g.Loss = terms[0]
		return
	}
	g.Loss = b.Op(engine.Sum{Coeff: engine.FloatsOf(weights...)}, terms...)
	if g.Loss != None {
		g.Values[g.Loss].Name = "loss total"
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// Verify checks what every stage may rely on: values exist, are produced before
// they are read, and the outputs of a node are those its op infers.
func (g *Graph) Verify() error {
	made := make([]bool, len(g.Values))
	for v, info := range g.Values {
		made[v] = info.Origin != FromOp
	}
	for i, n := range g.Nodes {
		for _, v := range n.In {
			if v < 0 || !made[v] {
				return fmt.Errorf("graph: node %d (%T) reads value %d before it is made", i, n.Op, v)
			}
		}
		for _, v := range n.Out {
			if v != None {
				made[v] = true
			}
		}
	}
	return nil
}
