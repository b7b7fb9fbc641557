package spec

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	gcproto "github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// LogFunc takes a line of Caffe's log, with the place in Caffe's source that
// the line's prefix names.
type LogFunc func(file string, line int, format string, args ...any)

// File is a net as written, with the places of its layers: a *proto.NetFile.
type File interface {
	LayerPos(i int) gcproto.Pos
	FieldPos(i int, path string) gcproto.Pos
}

// Net is a net as one state runs it.
type Net struct {
	// Filtered is the net without the layers that the state leaves out, its
	// state set: what Caffe prints when it builds a net.
	Filtered *caffepb.NetParameter
	// Layers are Filtered's with Split layers inserted and phases set.
	Layers []*Layer
}

// State gives the net's phase, level and stages.
func (n *Net) State() *caffepb.NetState { return n.Filtered.GetState() }

// Resolve gives the layers that run in the given state, in the net's order. A
// nil state is the net's own. The file may be nil: errors then name no lines.
// All independent errors are reported together.
func Resolve(net *caffepb.NetParameter, file File, state *caffepb.NetState, log LogFunc) (*Net, error) {
	if log == nil {
		log = func(string, int, string, ...any) {}
	}
	if state == nil {
		state = net.GetState()
	}
	layers, err := filter(net, file, state, log)
	if err != nil {
		return nil, err
	}
	filtered := proto.CloneOf(net)
	filtered.Layer = nil
	if state != nil {
		filtered.State = proto.CloneOf(state)
	}
	for i, l := range layers {
		filtered.Layer = append(filtered.Layer, l.LayerParameter)
		layers[i] = l.clone()
	}
	layers, splitErr := insertSplits(layers)
	if err := errors.Join(splitErr, assign(layers, state.GetPhase())); err != nil {
		return nil, err
	}
	return &Net{Filtered: filtered, Layers: layers}, nil
}

// clone is the layer with a message of its own.
func (l *Layer) clone() *Layer {
	c := *l
	c.LayerParameter = proto.CloneOf(l.LayerParameter)
	return &c
}

// assign sets the phase of each layer and gives every version of a blob its
// number.
func assign(layers []*Layer, phase caffepb.Phase) error {
	var errs []error
	versions := map[string]int{}
	producers := map[string]*Layer{}
	for _, l := range layers {
		if l.Phase == nil {
			l.Phase = phase.Enum()
		}
		if n := len(l.GetPropagateDown()); n > 0 && n != len(l.GetBottom()) {
			errs = append(errs, l.FieldErrorf("propagate_down",
				"propagate_down param must be specified either 0 or bottom_size times: %d given, %d bottoms", n, len(l.GetBottom())))
		}
		for _, name := range l.GetBottom() {
			l.Bottoms = append(l.Bottoms, Blob{name, max(versions[name], 1)})
		}
		for i, name := range l.GetTop() {
			if first, made := producers[name]; made && !(i < len(l.GetBottom()) && l.GetBottom()[i] == name) {
				errs = append(errs, duplicateTop(l, i, first))
			}
			producers[name] = l
			versions[name]++
			l.Tops = append(l.Tops, Blob{name, versions[name]})
		}
	}
	return errors.Join(errs...)
}

// duplicateTop words the error of a top that another layer made before.
func duplicateTop(l *Layer, i int, first *Layer) error {
	name := l.GetTop()[i]
	hint := fmt.Sprintf("layer %q at %v makes it too; give one of them another name", first.GetName(), first.Pos)
	if l.wrote(name) {
		hint = fmt.Sprintf("%s is read by other layers than this one, so it cannot be computed in place; give the top another name", name)
	}
	return l.FieldErrorf(fmt.Sprintf("top[%d]", i), "Top blob '%s' produced by multiple sources. %s", name, hint)
}

// wrote reports whether the layer as written reads the blob, before a split
// gave its bottom another name.
func (l *Layer) wrote(name string) bool {
	for _, b := range l.written {
		if b == name {
			return true
		}
	}
	return false
}
