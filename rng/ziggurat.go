package rng

import "math"

const (
	normalStrips      = 128
	exponentialStrips = 256

	// Where the lowest strip ends and the tail starts, such that all strips have one area and the highest ends at f(0).
	// Marsaglia and Tsang 2000, section 4; more digits by solving the recurrence in newZiggurat.
	normalTailStart      = 3.4426198558966521214
	exponentialTailStart = 7.6971174701310497140
)

// ziggurat covers a decreasing density f with f(0) = 1 by strips of equal area, the lowest, 0, with the tail in it. Everything is
// computed in float64 and rounded once, since Boost keeps its tables in float64.
type ziggurat struct {
	x, y   []float32 // strip i reaches to x[i] and from y[i] = f(x[i]) up; x[0] is the width of a box with the lowest strip's area
	inside []float32 // the least float32 not below x[i+1] in float64: less than that is under the density at any height
	width  []float32 // x[i] − x[i+1]
	height []float32 // y[i+1] − y[i]
}

var (
	normalZiggurat = newZiggurat(normalStrips, normalTailStart,
		math.Sqrt(math.Pi/2)*math.Erfc(normalTailStart/math.Sqrt2),
		func(x float64) float64 { return math.Exp(-x * x / 2) },
		func(y float64) float64 { return math.Sqrt(-2 * math.Log(y)) })

	exponentialZiggurat = newZiggurat(exponentialStrips, exponentialTailStart,
		math.Exp(-exponentialTailStart),
		func(x float64) float64 { return math.Exp(-x) },
		func(y float64) float64 { return -math.Log(y) })
)

// newZiggurat builds the strips from the tail's start r and area, the density f and its inverse:
//
//	area = r·f(r) + tail,  x[0] = area/f(r),  x[1] = r,  f(x[i+1]) = f(x[i]) + area/x[i],  x[strips] = 0
func newZiggurat(strips int, r, tail float64, f, inverse func(float64) float64) ziggurat {
	area := r*f(r) + tail
	x := make([]float64, strips+1)
	y := make([]float64, strips+1)
	x[0], x[1], y[1] = area/f(r), r, f(r)
	for i := 1; i < strips-1; i++ {
		y[i+1] = y[i] + area/x[i]
		x[i+1] = inverse(y[i+1])
	}
	y[strips] = 1
	z := ziggurat{x: round(x), y: round(y)}
	for i := range strips {
		inside := float32(x[i+1])
		if float64(inside) < x[i+1] {
			inside = math.Nextafter32(inside, math.MaxFloat32)
		}
		z.inside = append(z.inside, inside)
		z.width = append(z.width, float32(x[i]-x[i+1]))
		z.height = append(z.height, float32(y[i+1]-y[i]))
	}
	return z
}

func round(v []float64) []float32 {
	r := make([]float32, len(v))
	for i := range v {
		r[i] = float32(v[i])
	}
	return r
}
