package spec

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	gcproto "github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// top is where a blob is made last: the layer and which of its tops.
type top struct{ layer, index int }

// readers is who reads a top, a loss weight being one of them.
type readers struct {
	count int
	loss  float32
	next  int // the split top that the next reader gets
}

// insertSplits gives each blob with several readers a Split layer after its
// producer, under the names that Caffe gives them: saved weights, logs and
// timings show these. An in-place layer is a producer of its own.
func insertSplits(layers []*Layer) ([]*Layer, error) {
	sources, reads, err := findReaders(layers)
	var out []*Layer
	for i, l := range layers {
		for j, name := range l.GetBottom() {
			src, ok := sources[i][j], true
			if src.layer < 0 {
				ok = false // unknown bottom: reported
			}
			if r := reads[src]; ok && r.count > 1 {
				l.Bottom[j] = splitName(layers[src.layer], name, src.index, r.next)
				r.next++
			}
		}
		out = append(out, l)
		for j := range l.GetTop() {
			if r := reads[top{i, j}]; r != nil && r.count > 1 {
				out = append(out, split(l, j, r))
			}
		}
	}
	return out, err
}

// findReaders gives for each bottom of each layer the top that it reads, and
// for each top who reads it.
func findReaders(layers []*Layer) (sources [][]top, reads map[top]*readers, err error) {
	reads = map[top]*readers{}
	last := map[string]top{}
	var errs []error
	for i, l := range layers {
		from := make([]top, len(l.GetBottom()))
		for j, name := range l.GetBottom() {
			src, ok := last[name]
			if !ok {
				errs = append(errs, unknownBottom(layers, i, j))
				src = top{-1, 0}
			} else {
				at(reads, src).count++
			}
			from[j] = src
		}
		sources = append(sources, from)
		for j, name := range l.GetTop() {
			last[name] = top{i, j}
		}
		for j, w := range l.GetLossWeight() {
			if j < len(l.GetTop()) && w != 0 {
				r := at(reads, last[l.GetTop()[j]])
				r.loss = w
				r.count++
			}
		}
	}
	return sources, reads, errors.Join(errs...)
}

func at(reads map[top]*readers, t top) *readers {
	if reads[t] == nil {
		reads[t] = &readers{}
	}
	return reads[t]
}

// split is the Split layer of a top. A loss weight moves to its first top, which
// no layer reads.
func split(l *Layer, index int, r *readers) *Layer {
	blob := l.GetTop()[index]
	p := &caffepb.LayerParameter{
		Name:   proto.String(fmt.Sprintf("%s_%s_%d_split", blob, l.GetName(), index)),
		Type:   proto.String("Split"),
		Bottom: []string{blob},
	}
	for k := range r.count {
		p.Top = append(p.Top, splitName(l, blob, index, k))
		if r.loss == 0 {
			continue
		}
		if k == 0 {
			p.LossWeight = append(p.LossWeight, r.loss)
		} else {
			p.LossWeight = append(p.LossWeight, 0)
		}
	}
	if r.loss != 0 {
		l.LossWeight = nil
		r.next++
	}
	return &Layer{LayerParameter: p, Pos: l.Pos}
}

func splitName(l *Layer, blob string, index, k int) string {
	return fmt.Sprintf("%s_%s_%d_split_%d", blob, l.GetName(), index, k)
}

// unknownBottom words the error of a bottom that no layer before makes.
func unknownBottom(layers []*Layer, i, j int) error {
	l := layers[i]
	name := l.GetBottom()[j]
	var known []string
	for k, other := range layers {
		if slices.Contains(other.GetTop(), name) && k >= i {
			return l.FieldErrorf(fmt.Sprintf("bottom[%d]", j), "Unknown bottom blob '%s' (layer '%s', bottom index %d): layer %q makes it at %v, which must come before",
				name, l.GetName(), j, other.GetName(), other.Pos)
		}
		if k < i {
			known = append(known, other.GetTop()...)
		}
	}
	return l.FieldErrorf(fmt.Sprintf("bottom[%d]", j), "Unknown bottom blob '%s' (layer '%s', bottom index %d)%s",
		name, l.GetName(), j, suggest(name, known))
}

// suggest names the known blob that is spelled most like name.
func suggest(name string, known []string) string {
	if best := gcproto.Nearest(name, known); best != "" {
		return fmt.Sprintf(": did you mean '%s'?", best)
	}
	if len(known) == 0 {
		return ": no layer before makes a blob"
	}
	return ": no layer before makes it in this phase"
}
