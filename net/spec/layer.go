// Package spec turns a net as written into the list of layers that one phase
// runs: still Caffe's words, no shapes. It filters by phase, level and stage,
// inserts Caffe's Split layers and gives every version of a blob a name of its
// own, so that the stages after it see single assignment.
package spec

import (
	"fmt"

	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// Blob is one version of a blob: in-place layers make a new version of the same
// name. Versions count from 1.
type Blob struct {
	Name    string
	Version int
}

// String is the blob's name, with its version behind it from the second on:
// "conv1", then "conv1#2" after an in-place ReLU.
func (b Blob) String() string {
	if b.Version > 1 {
		return fmt.Sprintf("%s#%d", b.Name, b.Version)
	}
	return b.Name
}

// Layer is one layer of the resolved net. The embedded message is Caffe's, its
// phase set; Split layers that Resolve inserted have one too.
type Layer struct {
	*caffepb.LayerParameter
	Pos     proto.Pos // where the layer stands; a split has its blob's producer's
	Bottoms []Blob    // one for each GetBottom()
	Tops    []Blob    // one for each GetTop()
	// field gives the position of a field, such as "convolution_param.pad".
	field   func(path string) proto.Pos
	written []string // the bottoms as written, before splits renamed them
}

// Errorf words an error of the layer as
// `train_val.prototxt:132: layer "fc6" (InnerProduct): …`.
func (l *Layer) Errorf(format string, args ...any) error {
	return l.errorAt(l.Pos, fmt.Errorf(format, args...))
}

// FieldErrorf is Errorf at the position of a field of the layer.
func (l *Layer) FieldErrorf(path, format string, args ...any) error {
	pos := l.Pos
	if l.field != nil {
		pos = l.field(path)
	}
	return l.errorAt(pos, fmt.Errorf(format, args...))
}

func (l *Layer) errorAt(pos proto.Pos, err error) error {
	return fmt.Errorf("%v: layer %q (%s): %w", pos, l.GetName(), l.GetType(), err)
}

// Param is the i-th param entry, or nil where the layer has fewer.
func (l *Layer) Param(i int) *caffepb.ParamSpec {
	if i < len(l.GetParam()) {
		return l.LayerParameter.GetParam()[i]
	}
	return nil
}

// Propagates reports what propagate_down says of bottom i; set is false where
// it says nothing.
func (l *Layer) Propagates(i int) (down, set bool) {
	if p := l.GetPropagateDown(); i < len(p) {
		return p[i], true
	}
	return true, false
}

// InPlace reports whether top i is another version of one of the bottoms.
func (l *Layer) InPlace(i int) bool {
	for _, b := range l.GetBottom() {
		if b == l.GetTop()[i] {
			return true
		}
	}
	return false
}
