// Package layers says what each of Caffe's layer types computes: one file a
// type, which registers a Def. A layer only emits ops; where they run, how they
// fuse, lie in memory and are differentiated is decided elsewhere.
package layers

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto"
)

// Arity is how many bottoms or tops a layer takes: Min to Max, Max < 0 for no
// limit.
type Arity struct{ Min, Max int }

// String is "2", "1 to 2" or "1 or more".
func (a Arity) String() string {
	switch {
	case a.Max < 0:
		return fmt.Sprintf("%d or more", a.Min)
	case a.Max > a.Min:
		return fmt.Sprintf("%d to %d", a.Min, a.Max)
	}
	return strconv.Itoa(a.Min)
}

func exactly(n int) Arity    { return Arity{n, n} }
func atLeast(n int) Arity    { return Arity{n, -1} }
func between(m, n int) Arity { return Arity{m, n} }

// Def says everything the net needs to know about a layer type.
type Def struct {
	Type          string // as written in a prototxt
	From          string // the forks of Caffe that have it; "" is BVLC Caffe
	Bottoms, Tops Arity  // checked here, once, not by each layer
	Loss          bool   // top 0 has loss_weight 1 by default, and need not be named
	Data          bool   // the tops come from a data source, opened by the net
	NoInPlace     bool   // no top may be a bottom
	// SameCounts: as many tops as bottoms (Convolution applies itself to each).
	SameCounts bool

	// Refuse says why the layer cannot run, for a type that is known and not
	// supported: it is all that its Def has, and Types does not list it.
	Refuse func(*spec.Layer) error

	// Check validates the parameters alone. Optional.
	Check func(*spec.Layer) error

	// Lower emits the forward ops and gives the tops. It is called once per set
	// of bottom shapes and must be pure: it sees no device, no phase but l.Phase,
	// no clock.
	Lower func(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value
}

var defs = map[string]Def{}

// register enters a layer type. A duplicate is a bug in this package, not an
// input, and panics.
func register(d Def) {
	if _, dup := defs[d.Type]; dup {
		panic("layers: " + d.Type + " registered twice")
	}
	defs[d.Type] = d
}

// Defs lists the definitions by type, with those that are refused.
func Defs() []Def {
	return slices.SortedFunc(maps.Values(defs), func(a, b Def) int { return strings.Compare(a.Type, b.Type) })
}

// Types lists the registered types in order, without those that are refused.
func Types() []string {
	types := make([]string, 0, len(defs))
	for _, d := range Defs() {
		if d.Refuse == nil {
			types = append(types, d.Type)
		}
	}
	return types
}

// Lookup finds the definition of a layer's type and checks what can be checked
// without shapes: the type is known, bottoms and tops are as many as it takes,
// its parameters make sense.
func Lookup(l *spec.Layer) (Def, error) {
	d, ok := defs[l.GetType()]
	if !ok {
		return d, l.FieldErrorf("type", "Unknown layer type: %s%s (known types: %s)", l.GetType(), nearest(l.GetType()), strings.Join(Types(), ", "))
	}
	if d.Refuse != nil {
		return d, d.Refuse(l)
	}
	if err := checkCount(l, d.Bottoms, len(l.GetBottom()), "bottom", "input"); err != nil {
		return d, err
	}
	tops := d.Tops
	if d.Loss {
		tops.Min = 0 // a loss layer may leave its top unnamed
	}
	if err := checkCount(l, tops, len(l.GetTop()), "top", "output"); err != nil {
		return d, err
	}
	if d.SameCounts && len(l.GetBottom()) != len(l.GetTop()) {
		return d, l.Errorf("%s Layer produces one top blob as output for each bottom blob input: %d bottoms, %d tops",
			l.GetType(), len(l.GetBottom()), len(l.GetTop()))
	}
	for i := range l.GetTop() {
		if d.NoInPlace && l.InPlace(i) {
			return d, l.FieldErrorf("top", "%s Layer does not allow in-place computation: give top %q another name", l.GetType(), l.GetTop()[i])
		}
	}
	if d.Check != nil {
		return d, d.Check(l)
	}
	return d, nil
}

// Lower is graph.Options.Lower over the registry.
func Lower(l *spec.Layer) (graph.LowerFunc, bool, error) {
	d, err := Lookup(l)
	if err != nil {
		return nil, false, err
	}
	return d.Lower, d.Loss, nil
}

func checkCount(l *spec.Layer, a Arity, n int, field, noun string) error {
	switch {
	case a.Min == a.Max && n != a.Min:
		return l.FieldErrorf(field, "%s Layer takes %d %s blob(s) as %s, not %d.", l.GetType(), a.Min, field, noun, n)
	case n < a.Min:
		return l.FieldErrorf(field, "%s Layer takes at least %d %s blob(s) as %s, not %d.", l.GetType(), a.Min, field, noun, n)
	case a.Max >= 0 && n > a.Max:
		return l.FieldErrorf(field, "%s Layer takes at most %d %s blob(s) as %s, not %d.", l.GetType(), a.Max, field, noun, n)
	}
	return nil
}

// nearest suggests the known type that was most likely meant.
func nearest(typ string) string {
	if t := proto.Nearest(typ, Types()); t != "" {
		return ", did you mean " + t + "?"
	}
	return ""
}
