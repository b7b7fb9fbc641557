package enginetest

import (
	"fmt"
	"math"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
)

// toleranceBF16 is Tolerance for results that are rounded to bfloat16, whose spacing is
// 1/128 between 1 and 2: one step, as the rounding of a sum may go either way.
const toleranceBF16 = 1.0 / 128

// toleranceTF32 is Tolerance for products of an engine opened for tf32, which may take
// algorithms that lose as much as dropping bits of the inputs does, such as Winograd's.
const toleranceTF32 = 2e-3

// narrowModes are the modes with BF16 tensors, none for an op that has no place for
// them. They round the inputs of the case in place.
func (c *Case) narrowModes(modes []mode) []mode {
	in, out := engine.Narrow(c.Op)
	if in == 0 && out == 0 {
		return nil
	}
	c.round()
	var list []mode
	for _, m := range modes {
		m.name, m.narrow = "bf16, "+m.name, true
		list = append(list, m)
		if engine.Multiplies(c.Op) && out != 0 {
			m.name, m.wide = m.name+", float32 result", true
			list = append(list, m)
		}
	}
	return list
}

// round rounds the inputs that may be BF16.
func (c *Case) round() {
	c.In = rounded(c.Op, c.In)
	for i, src := range c.From {
		src.In = rounded(src.Op, src.In)
		c.From[i] = src
	}
}

// rounded is the inputs with the values that they have as BF16.
func rounded(op engine.Op, in []Tensor) []Tensor {
	may, _ := engine.Narrow(op)
	out := slices.Clone(in)
	for i, t := range in {
		if may.Has(i) {
			out[i].Data = make([]float32, len(t.Data))
			for j, v := range t.Data {
				out[i].Data[j] = engine.FromBF16(engine.ToBF16(v))
			}
		}
	}
	return out
}

// narrowed is a descriptor with BF16 for F32 if so.
func narrowed(d engine.Desc, so bool) engine.Desc {
	if so && d.DType == engine.F32 {
		d.DType = engine.BF16
	}
	return d
}

// tolerance is how far output i may be from ref's.
func (c *Case) tolerance(i int, m mode) float64 {
	_, may := engine.Narrow(c.Op)
	if _, weights := c.Op.(engine.ConvGradWeights); m.narrow && weights && i == 0 {
		return toleranceBF16 // engine.Narrow says that it may be rounded
	}
	if m.narrow && !m.wide && may.Has(i) {
		if _, overlaps := c.Op.(engine.PoolGrad); overlaps {
			return 3 * toleranceBF16
		}
		if _, ep := unfused(c.Op); engine.Multiplies(c.Op) && (ep.Slope != 0 || ep != (engine.Epilogue{}) && !m.layouts) {
			return 2 * toleranceBF16 // not all libraries end a product so, in the plain layout: it is rounded before and after
		}
		return max(c.Tol, toleranceBF16)
	}
	return c.Tol
}

// nearOverall checks a Winograd convolution in BF16: transformed factors are rounded like
// the factors themselves, which adds to each result some half percent of the root mean
// square of all, to none ten times that.
func nearOverall(a, b []float32, _ float64) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d elements, want %d", len(a), len(b))
	}
	var squares, errors, worst float64
	for i := range b {
		d := float64(a[i]) - float64(b[i])
		squares += float64(b[i]) * float64(b[i])
		errors += d * d
		worst = max(worst, d, -d)
	}
	n := float64(len(b))
	scale, mean := math.Sqrt(squares/n), math.Sqrt(errors/n)
	if !(mean <= toleranceBF16*scale && worst <= 8*toleranceBF16*scale) {
		return fmt.Errorf("errors of %g in the mean and %g at most, ref's root mean square is %g", mean, worst, scale)
	}
	return nil
}
