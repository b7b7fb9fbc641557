// Package filler gives blobs the initial values that a prototxt's FillerParameter asks for: bit for bit those of Caffe, draws
// included, on amd64.
//
// Draws come from one stream in the order of the net: layer after layer as the net is set up, within a layer the weights before the
// bias. Data that is not constant (DummyData) is drawn at each forward pass, not at setup, in the order of the layer's tops.
package filler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gocaffe/gocaffe/proto/caffepb"
	"github.com/gocaffe/gocaffe/rng"
)

// blob is what a filler fills: row-major values of the given shape, never empty.
type blob struct {
	shape []int
	data  []float32
}

// fillers are the known types. A filler reads p's defaults through its getters.
var fillers = map[string]func(p *caffepb.FillerParameter, b blob, r *rng.Source) error{
	"bilinear":          bilinear,
	"constant":          constant,
	"gaussian":          gaussian,
	"msra":              msra,
	"positive_unitball": positiveUnitball,
	"uniform":           uniform,
	"xavier":            xavier,
}

// Fill writes the initial values of a blob of the given shape, one a element, to dst. No parameter at all (nil) means zeros, which
// is also the default of Caffe's weight_filler fields. Errors say which field to change; the caller adds file, line and layer.
func Fill(p *caffepb.FillerParameter, shape []int, dst []float32, r *rng.Source) error {
	count := 1
	for _, d := range shape {
		count *= d
	}
	if count != len(dst) {
		return fmt.Errorf("filler: shape %v has %d elements, the blob %d", shape, count, len(dst))
	}
	if count == 0 {
		return fmt.Errorf("filler: a blob of shape %v has nothing to fill", shape)
	}
	fill := fillers[p.GetType()]
	if fill == nil {
		return fmt.Errorf("filler: Unknown filler name: %s (known: %s)", p.GetType(), strings.Join(Types(), ", "))
	}
	if sparse := p.GetSparse(); sparse != -1 && p.GetType() != "gaussian" {
		return fmt.Errorf("filler type %q has sparse: %d: Sparsity not supported by this Filler. Remove the field or use \"gaussian\"",
			p.GetType(), sparse)
	}
	return fill(p, blob{shape, dst}, r)
}

// Types returns the known filler types in alphabetical order.
func Types() []string {
	names := make([]string, 0, len(fillers))
	for name := range fillers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func constant(p *caffepb.FillerParameter, b blob, _ *rng.Source) error {
	for i := range b.data {
		b.data[i] = p.GetValue()
	}
	return nil
}
