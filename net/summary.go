package net

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/layers"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// Summary is a net in numbers, for people and, as JSON, for programs.
type Summary struct {
	File  string `json:"file"`
	Name  string `json:"name"`
	Phase string `json:"phase"`

	Layers  []LayerRow                `json:"layers"` // in order, Split layers included
	Blobs   map[string]engine.Shape   `json:"blobs"`  // shapes by name
	Params  map[string][]engine.Shape `json:"params"` // shapes of each layer's blobs
	Inputs  []string                  `json:"inputs"`
	Outputs []string                  `json:"outputs"`

	Costs        []LayerCost `json:"costs"`         // parallel to Layers
	Parameters   int64       `json:"parameters"`    // numbers in all params, shared ones once
	MultiplyAdds int64       `json:"multiply_adds"` // of one forward pass of the whole batch
	BlobBytes    int64       `json:"blob_bytes"`    // Caffe's "Memory required for data"
	ParamBytes   int64       `json:"param_bytes"`

	// Memory is what the commands that run the net will take, if SummaryOptions.Device is given.
	Memory []Memory `json:"memory,omitempty"`

	// Assumed tells what was made up for lack of data or of a graph: one sentence each.
	Assumed []string `json:"assumed,omitempty"`
}

// LayerRow is one layer; as JSON it is the list [name, type, bottoms, tops].
type LayerRow struct {
	Name, Type    string
	Bottoms, Tops []string
}

// MarshalJSON implements json.Marshaler.
func (r LayerRow) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{r.Name, r.Type, nonNil(r.Bottoms), nonNil(r.Tops)})
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// LayerCost is what one layer costs.
type LayerCost struct {
	Parameters   int64 `json:"parameters"`    // its own: shared ones count at their owner
	MultiplyAdds int64 `json:"multiply_adds"` // of convolutions and matrix products, for the whole batch
	BlobBytes    int64 `json:"blob_bytes"`    // its tops
}

// SummaryOptions says what Summarize has to know besides the prototxt.
type SummaryOptions struct {
	State *caffepb.NetState // nil: the net's own
	// Shapes are those of the tops of Input and data layers, by layer name.
	Shapes map[string][]engine.Shape
	// Open opens data layers that Shapes does not have. Nil, or where it fails,
	// the shapes are guessed: batch_size, crop_size or new_height and new_width,
	// and 3 channels unless the layer says otherwise.
	Open func(l *spec.Layer, draw func() uint32) (Source, error)

	// Device is where the net would run; memory is predicted for it by compiling plans, so
	// it should be one whose buffers are free (engine/null.Over). Nil: no memory is predicted.
	Device engine.Device
	// Update is the solver's rule that training is predicted for.
	Update graph.UpdateOptions
	// Program tells the bytes that the program takes besides tensors; it is asked while the
	// kernels of the first plan are there. Nil: they are not counted.
	Program func() int64
}

// Summarize counts a net. It needs no device but for memory, and no data where the
// prototxt tells the shapes; an error says which layer's shape to give.
func Summarize(f *proto.NetFile, o SummaryOptions) (*Summary, error) {
	resolved, err := spec.Resolve(f.Net, f, o.State, nil)
	if err != nil {
		return nil, err
	}
	s := &Summary{
		File: f.Path, Name: f.Net.GetName(), Phase: resolved.State().GetPhase().String(),
		Blobs: map[string]engine.Shape{}, Params: map[string][]engine.Shape{}, Inputs: []string{},
	}
	shapes := map[*spec.Layer][]engine.Shape{}
	for _, l := range resolved.Layers {
		if given, ok := o.Shapes[l.GetName()]; ok {
			shapes[l] = given
		} else if isData(l) {
			if shapes[l], err = s.dataShapes(l, o); err != nil {
				return nil, err
			}
		}
	}
	lower := func() (*graph.Graph, error) {
		return graph.Build(resolved.Layers, graph.Options{Name: s.Name, Lower: layers.Lower, FeedShapes: shapes})
	}
	g, err := lower()
	if err != nil {
		return nil, err
	}
	s.count(g)
	if o.Device != nil {
		err = s.predict(lower, resolved.State().GetPhase(), f.Net.GetForceBackward(), o)
	}
	return s, err
}

// dataShapes finds the shapes of a data layer's tops.
func (s *Summary) dataShapes(l *spec.Layer, o SummaryOptions) ([]engine.Shape, error) {
	if o.Open != nil {
		if src, err := o.Open(l, func() uint32 { return 0 }); err == nil {
			shapes, err := src.Shapes()
			if closeErr := src.Close(); err == nil {
				err = closeErr
			}
			if err == nil {
				return shapes, nil
			}
		}
	}
	shape, assumed := guess(l)
	if shape == nil {
		return nil, l.Errorf("its data is not here, and nothing in the prototxt tells the size of its pictures: give the shape of top %q", l.GetTop()[0])
	}
	s.Assumed = append(s.Assumed, fmt.Sprintf("layer %q: %s", l.GetName(), assumed))
	labels := engine.Shape{shape[0]}
	if l.GetType() == "DenseImageData" {
		labels = engine.Shape{shape[0], 1, shape[2], shape[3]}
	}
	return []engine.Shape{shape, labels}, nil
}

// guess makes up the shape of a data layer's pictures from its parameters; nil
// where they do not tell the size.
func guess(l *spec.Layer) (shape engine.Shape, assumed string) {
	t := l.GetTransformParam()
	batch, height, width, gray := 0, 0, 0, t.GetForceGray()
	switch l.GetType() {
	case "Data":
		batch = int(l.GetDataParam().GetBatchSize())
	case "WindowData":
		batch = int(l.GetWindowDataParam().GetBatchSize())
	case "DenseImageData":
		p := l.GetDenseImageDataParam()
		batch, height, width, gray = int(p.GetBatchSize()), int(p.GetNewHeight()), int(p.GetNewWidth()), !p.GetIsColor()
		if p.GetCropHeight() > 0 {
			height, width = int(p.GetCropHeight()), int(p.GetCropWidth())
		}
	case "ImageData":
		p := l.GetImageDataParam()
		batch, height, width = int(p.GetBatchSize()), int(p.GetNewHeight()), int(p.GetNewWidth())
		gray = gray || !p.GetIsColor()
	}
	if crop := int(t.GetCropSize()); crop > 0 {
		height, width = crop, crop
	}
	if batch == 0 || height == 0 {
		return nil, ""
	}
	channels := 3
	switch {
	case gray:
		channels = 1
	case len(t.GetMeanValue()) > 1:
		channels = len(t.GetMeanValue())
	}
	shape = engine.Shape{batch, channels, height, width}
	return shape, fmt.Sprintf("shape %v, for its data was not read", shape)
}

// automatic is what Caffe calls a top that the prototxt leaves out.
const automatic = "(automatic)"

// listed is a shape that JSON shows as a list even where it is a scalar's.
func listed(s engine.Shape) engine.Shape { return append(engine.Shape{}, s...) }

// count fills in what the graph knows.
func (s *Summary) count(g *graph.Graph) {
	for _, name := range g.Names {
		s.Blobs[name] = listed(g.Shape(g.Blobs[name]))
	}
	s.Outputs = nonNil(g.Outputs)
	s.Costs = make([]LayerCost, len(g.Layers))
	for i, l := range g.Layers {
		tops := slices.Clone(l.GetTop())
		for j := range automaticTops(l) {
			tops = append(tops, automatic)
			s.Blobs[automatic] = listed(g.Shape(g.Tops[i][len(l.GetTop())+j]))
		}
		s.Layers = append(s.Layers, LayerRow{l.GetName(), l.GetType(), l.GetBottom(), tops})
		if l.GetType() == "Input" {
			s.Inputs = append(s.Inputs, l.GetTop()...)
		}
		for _, u := range g.Uses[i] {
			s.Params[l.GetName()] = append(s.Params[l.GetName()], listed(u.Shape))
		}
		for j := range tops {
			s.Costs[i].BlobBytes += g.Desc(g.Tops[i][j]).Bytes()
		}
	}
	for _, p := range g.Params {
		s.Costs[p.Layer].Parameters += int64(g.Shape(p.Value).Count())
	}
	for _, n := range g.Nodes {
		if n.Layer >= 0 {
			s.Costs[n.Layer].MultiplyAdds += multiplyAdds(g.Shape, n.Op, n.In, n.Out)
		}
	}
	for _, c := range s.Costs {
		s.Parameters += c.Parameters
		s.MultiplyAdds += c.MultiplyAdds
		s.BlobBytes += c.BlobBytes
	}
	s.ParamBytes = 4 * s.Parameters
}
