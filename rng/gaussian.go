package rng

import "math"

// Gaussian fills dst with draws from N(mean, std²). It takes one number for nearly every element, a few for the others: Marsaglia and
// Tsang's ziggurat (Journal of Statistical Software 5(8), 2000) with 128 strips. Old Boosts used Box–Muller; a Caffe built
// with it draws other values.
func (s *Source) Gaussian(dst []float32, mean, std float32) {
	for i := range dst {
		dst[i] = float32(s.normal()*std) + mean
	}
}

// normal draws from N(0, 1). The lowest bit of a number is the sign, the next seven choose the strip, the rest is the position in it.
func (s *Source) normal() float32 {
	for {
		u := s.Uint32()
		i := u >> 1 & (normalStrips - 1)
		x := float32(u>>8) * 0x1p-24 * normalZiggurat.x[i]
		if x < normalZiggurat.inside[i] || i == 0 || s.underNormal(int(i), x) {
			if i == 0 && !(x < normalZiggurat.inside[0]) {
				x = s.normalTail()
			}
			if u&1 == 0 {
				return -x
			}
			return x
		}
	}
}

// underNormal draws a height in strip i and says whether the point is under the density. Where the density is convex the diagonal
// of the strip's corner bounds it from above and the tangent from below; where it is concave, the other way round. Only between
// the bounds is the density computed.
func (s *Source) underNormal(i int, x float32) bool {
	z := &normalZiggurat
	y01 := s.unit()
	y := z.y[i] + float32(y01*z.height[i])
	left := z.x[i] - x
	aboveDiagonal := float32(z.width[i]*y01) - left
	aboveTangent := y - (z.y[i] + float32(left*z.y[i]*z.x[i]))
	upper, lower := aboveDiagonal, aboveTangent
	if z.x[i] < 1 {
		upper, lower = aboveTangent, aboveDiagonal
	}
	return upper < 0 && (lower < 0 || y < exp(-(x*x/2)))
}

// normalTail draws from beyond the last strip, by rejection from an exponential that starts there.
func (s *Source) normalTail() float32 {
	start := normalZiggurat.x[1]
	for {
		x := s.exponential() / start
		y := s.exponential()
		if 2*y > x*x {
			return x + start
		}
	}
}

// exponential draws from Exp(1): a ziggurat of 256 strips. The lowest strip's tail has the shape of the whole, moved.
func (s *Source) exponential() float32 {
	var shift float32
	z := &exponentialZiggurat
	for {
		u := s.Uint32()
		i := u & (exponentialStrips - 1)
		x := float32(u>>8) * 0x1p-24 * z.x[i]
		switch {
		case x < z.x[i+1]:
			return shift + x
		case i == 0:
			shift += z.x[1]
		case s.underExponential(int(i), x):
			return x + shift
		}
	}
}

// underExponential is underNormal for exp(−x), which is convex: diagonal above, tangent at the strip's top below.
func (s *Source) underExponential(i int, x float32) bool {
	z := &exponentialZiggurat
	y01 := s.unit()
	y := z.y[i] + float32(y01*z.height[i])
	aboveDiagonal := float32(z.width[i]*y01) - (z.x[i] - x)
	aboveTangent := y - (z.y[i+1] + float32((z.x[i+1]-x)*z.y[i+1]))
	return aboveDiagonal < 0 && (aboveTangent < 0 || y < exp(-x))
}

func exp(x float32) float32 { return float32(math.Exp(float64(x))) }
