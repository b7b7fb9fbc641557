//go:build cgo && linux

package cuda

import (
	"fmt"
	"math"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
)

// TestFunctionsAreAccurate: exp, ln, powers and tanh of our own are within a few units
// in the last place on their whole range.
func TestFunctionsAreAccurate(t *testing.T) {
	for _, c := range []struct {
		op     engine.Unary
		lo, hi float64
		want   func(x float64) float64
		ulps   float64
	}{
		{engine.Unary{Fn: engine.Exp, A: 1, B: 1}, -104, 88.72, math.Exp, 2},
		{engine.Unary{Fn: engine.Exp, A: 1, B: 1}, -1e-3, 1e-3, math.Exp, 2},
		{engine.Unary{Fn: engine.Log, A: 1, B: 1}, 1e-45, 1e-37, math.Log, 2},
		{engine.Unary{Fn: engine.Log, A: 1, B: 1}, 0.5, 2, math.Log, 2},
		{engine.Unary{Fn: engine.Log, A: 1, B: 1}, 2, 3e38, math.Log, 2},
		{engine.Unary{Fn: engine.Power, A: -0.75, B: 1}, 1e-37, 3e38, func(x float64) float64 { return math.Pow(x, -0.75) }, 2},
		{engine.Unary{Fn: engine.Power, A: 3, B: 1}, -6e12, 6e12, func(x float64) float64 { return x * x * x }, 2},
		{engine.Unary{Fn: engine.Power, A: 20, B: 1}, 0.02, 80, func(x float64) float64 { return math.Pow(x, 20) }, 2},
		{engine.Unary{Fn: engine.TanH}, -20, 20, math.Tanh, 3},
		{engine.Unary{Fn: engine.TanH}, -1e-3, 1e-3, math.Tanh, 2},
		{engine.Unary{Fn: engine.Sigmoid}, -80, 80, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 3},
		{engine.Unary{Fn: engine.ELU, A: 1}, -20, -1e-6, math.Expm1, 4},
		{engine.Unary{Fn: engine.BNLL}, -80, 80, func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }, 4},
	} {
		t.Run(fmt.Sprintf("%+v from %g to %g", c.op, c.lo, c.hi), func(t *testing.T) {
			x := spread(c.lo, c.hi)
			for i, y := range unaryOf(t, c.op, x) {
				want := c.want(float64(x[i]))
				unit := math.Abs(float64(math.Nextafter32(float32(want), float32(math.Inf(1))) - float32(want)))
				if diff := math.Abs(float64(y) - want); !(diff <= c.ulps*unit) {
					t.Fatalf("of %g is %g, want %g: %.1f units", x[i], y, want, diff/unit)
				}
			}
		})
	}
}

// TestFunctionsOfSpecialValues: what C's functions give.
func TestFunctionsOfSpecialValues(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	x := []float32{0, 1, -1, -2, inf, -inf, nan, 1e-45}
	power := func(a float32) engine.Unary { return engine.Unary{Fn: engine.Power, A: a, B: 1} }
	for _, c := range []struct {
		op   engine.Unary
		want func(x float64) float64
	}{
		{engine.Unary{Fn: engine.Exp, A: 1, B: 1}, math.Exp},
		{engine.Unary{Fn: engine.Log, A: 1, B: 1}, math.Log},
		{engine.Unary{Fn: engine.TanH}, math.Tanh},
		{power(0), func(x float64) float64 { return math.Pow(x, 0) }},
		{power(0.5), func(x float64) float64 { return math.Pow(x, 0.5) }},
		{power(-0.5), func(x float64) float64 { return math.Pow(x, -0.5) }},
		{power(-1), func(x float64) float64 { return math.Pow(x, -1) }},
		{power(3), func(x float64) float64 { return math.Pow(x, 3) }},
		{power(4), func(x float64) float64 { return math.Pow(x, 4) }},
	} {
		for i, y := range unaryOf(t, c.op, x) {
			if want := float32(c.want(float64(x[i]))); y != want && (y == y || want == want) {
				t.Errorf("%+v of %g is %g, want %g", c.op, x[i], y, want)
			}
		}
	}
}

// spread is numbers over a range, by equal steps or, where it has one sign and is
// wide, by equal ratios.
func spread(lo, hi float64) []float32 {
	const n = 20000
	x := make([]float32, n)
	for i := range x {
		f := float64(i) / (n - 1)
		if x[i] = float32(lo + (hi-lo)*f); lo > 0 && hi/lo > 100 {
			x[i] = float32(lo * math.Pow(hi/lo, f))
		}
	}
	return x
}

// unaryOf applies a function on the device.
func unaryOf(t *testing.T, op engine.Unary, x []float32) []float32 {
	d, s := open(t)
	r := &forms{t: t, d: d, s: s}
	desc := []engine.Desc{engine.Dense(len(x))}
	return r.run(op, desc, desc, desc, desc, [][]float32{x})[0]
}
