package net

import (
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/filler"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
)

// source is the open source of a data layer.
type source struct {
	Source
	layer  *spec.Layer
	shapes []engine.Shape      // of the next batch
	pixels PixelSource         // where the device transforms its pictures, else nil
	format *engine.PixelFormat // of the next batch, nil where it is numbers
}

// setUp does what Caffe does layer by layer when it builds a net: open data,
// draw params, write the log. The order matters for both the random stream and
// the log, so where a data layer comes behind layers with params, the layers
// before it are set up first.
func (n *Net) setUp() error {
	if err := n.checkLayers(); err != nil {
		return err
	}
	n.o.Log.Infof("net.cpp", 53, "Initializing net from parameters: \n%s", proto.Text(n.spec.Filtered))
	log := newInitLog(n.o.Log, n.spec.Layers)
	var drawn [][]float32
	for i, l := range n.spec.Layers {
		if !isData(l) {
			continue
		}
		if i > 0 {
			g, err := n.build(n.spec.Layers[:i])
			if err != nil {
				return err
			}
			log.setUp(g, i)
			if drawn, err = n.drawParams(g, drawn, nil); err != nil {
				return err
			}
		}
		if err := n.open(i, log); err != nil {
			return err
		}
	}
	g, err := n.build(n.spec.Layers)
	if err != nil {
		return err
	}
	log.setUp(g, len(n.spec.Layers))
	n.needs = findNeeds(g)
	log.finish(g, n.needs)
	if err := n.checkShare(g); err != nil {
		return err
	}
	if err := n.initialise(g, drawn); err != nil {
		return err
	}
	return n.openSinks()
}

// initialise compiles the net and stores its params' first values.
func (n *Net) initialise(g *graph.Graph, drawn [][]float32) error {
	had := map[int]bool{}
	for i, p := range g.Params {
		had[i] = n.storage.Has(g.Values[p.Value].Name)
	}
	if err := n.use(g); err != nil {
		return err
	}
	_, err := n.drawParams(g, drawn, func(p int, values []float32) error {
		if had[p] {
			return nil // the shared net's
		}
		return n.now.plan.Store(g.Params[p].Value, values)
	})
	n.Trim()
	return err
}

// largeParams is from how many bytes of params on copies of them are returned to the
// system at once.
const largeParams = 4 << 20

// Trim returns what copies of the params took to the system, where that is much: it would
// add to the memory that training needs. The net does so when it is built; who has read
// or written its weights may.
func (n *Net) Trim() {
	if n.now.plan.Memory().Params > largeParams {
		debug.FreeOSMemory()
	}
}

// checkLayers finds what is wrong without opening data: unknown types, wrong
// numbers of bottoms, parameters that make no sense.
func (n *Net) checkLayers() error {
	var errs []error
	for _, l := range n.spec.Layers {
		d, err := layers.Lookup(l)
		if err == nil && d.Data && n.o.Open == nil {
			err = l.Errorf("no data can be opened here; replace the layer by an Input layer")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func isData(l *spec.Layer) bool {
	d, err := layers.Lookup(l)
	return err == nil && d.Data
}

// open opens the source of data layer i. Caffe logs that a database is open
// before it connects the layer, and the shapes after.
func (n *Net) open(i int, log *initLog) error {
	l := n.spec.Layers[i]
	log.creating(i)
	s, err := n.o.Open(l, n.o.Random.Uint32)
	if err != nil {
		return l.Errorf("%w", err)
	}
	n.sources[i] = newSource(l, s, n.o.Device, n.o.ForceBackward)
	log.connect(i)
	return n.sources[i].look()
}

// newSource has the source give bytes to a device that transforms them, unless somebody
// may want the gradient of a picture: none leads back to bytes.
func newSource(l *spec.Layer, s Source, dev engine.Device, forceBackward bool) *source {
	from := &source{Source: s, layer: l}
	p, gives := s.(PixelSource)
	if _, takes := dev.(engine.PixelTaker); takes && gives && !forceBackward {
		p.TakePixels()
		from.pixels = p
	}
	return from
}

// FirstBatch tells what graph.Build must know of the first batch of a data layer for a net
// on the device: its shapes, and how its bytes become numbers, nil where it is numbers.
func FirstBatch(l *spec.Layer, s Source, dev engine.Device, forceBackward bool) ([]engine.Shape, *engine.PixelFormat, error) {
	from := newSource(l, s, dev, forceBackward)
	err := from.look()
	return from.shapes, from.format, err
}

// look asks for the shapes of the next batch, and whether it is bytes.
func (s *source) look() (err error) {
	if s.shapes, err = s.Shapes(); err == nil && s.pixels != nil {
		s.format, err = s.pixels.Pixels()
	}
	if err != nil {
		return s.layer.Errorf("%w", err)
	}
	return nil
}

// drawParams draws the first values of all params behind those in drawn, in the
// order in which Caffe does: layer by layer, a blob that is another layer's
// being drawn too and thrown away. With store nil the values are collected,
// with store they are handed to it, those in drawn as well.
func (n *Net) drawParams(g *graph.Graph, drawn [][]float32, store func(param int, values []float32) error) ([][]float32, error) {
	done := 0
	for i, uses := range g.Uses {
		for index, u := range slices.Concat(uses, g.Redraws[i]) {
			owner := u.Param >= 0 && g.Params[u.Param].Layer == i && g.Params[u.Param].Index == index
			if done == len(drawn) {
				values, err := n.draw(u, owner)
				if err != nil {
					return nil, g.Layers[i].Errorf("blob %d: %w", index, err)
				}
				drawn = append(drawn, values)
			}
			if store != nil {
				if owner {
					if err := store(u.Param, drawn[done]); err != nil {
						return nil, err
					}
				}
				drawn[done] = nil // big nets: do not hold all params twice
			}
			done++
		}
	}
	return drawn, nil
}

// draw fills a layer's blob; nil where it is not the layer's own and its filler
// draws nothing.
func (n *Net) draw(u graph.Use, owner bool) ([]float32, error) {
	if !owner && u.Filler.GetType() == "constant" {
		return nil, nil
	}
	values := make([]float32, u.Shape.Count())
	if u.Filler == nil {
		return values, nil
	}
	return values, filler.Fill(u.Filler, u.Shape, values, n.o.Random)
}

// build lowers the first layers for the present shapes.
func (n *Net) build(list []*spec.Layer) (*graph.Graph, error) {
	shapes, pixels := maps.Clone(n.inputs), map[*spec.Layer]*engine.PixelFormat{}
	for _, s := range n.sources {
		shapes[s.layer], pixels[s.layer] = s.shapes, s.format
	}
	return graph.Build(list, graph.Options{Name: n.Name(), Lower: layers.Lower, FeedShapes: shapes, Pixels: pixels, Selected: n.selected,
		DeviceMasks: !n.o.HostMasks && DrawsMasks(n.o.Device)})
}

// DrawsMasks reports whether Dropout's masks are the device's matter.
func DrawsMasks(dev engine.Device) bool {
	_, ok := dev.(engine.MaskDrawer)
	return ok
}

// checkShare applies Caffe's rules to a net that uses another one's params:
// layers of one name have the same blobs.
func (n *Net) checkShare(g *graph.Graph) error {
	if n.o.Share == nil {
		return nil
	}
	from := n.o.Share.now.graph
	var errs []error
	for i, l := range from.Layers {
		j := slices.IndexFunc(g.Layers, func(m *spec.Layer) bool { return m.GetName() == l.GetName() })
		if j < 0 {
			n.ignored = append(n.ignored, l.GetName())
			continue
		}
		to := g.Layers[j]
		if len(g.Uses[j]) != len(from.Uses[i]) {
			errs = append(errs, to.Errorf("Incompatible number of blobs for layer %s: it has %d, the layer that it shares them with %d",
				l.GetName(), len(g.Uses[j]), len(from.Uses[i])))
			continue
		}
		for k, u := range from.Uses[i] {
			if have := g.Uses[j][k].Shape; !have.Equal(u.Shape) {
				errs = append(errs, to.Errorf("Cannot share param %d weights from layer '%s'; shape mismatch.  Source param shape is %s; target param shape is %s",
					k, l.GetName(), counted(u.Shape), counted(have)))
			}
		}
	}
	return errors.Join(errs...)
}

// Ignored are the layers of Options.Share that this net does not have; Caffe
// logs them whenever it shares params.
func (n *Net) Ignored() []string { return n.ignored }

// counted is a shape as Caffe prints it, with its count: "2 4 (8)".
func counted(s engine.Shape) string {
	if len(s) == 0 {
		return "(1)"
	}
	return fmt.Sprintf("%v (%d)", s, s.Count())
}
