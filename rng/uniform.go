package rng

import "math"

// Uniform fills dst with draws from [lo, hi]. It takes one number an element, more where rounding reaches past the end.
//
//	x = float32(u)/2^32 · (hi' − lo) + lo   where hi' is the float32 after hi, and x < hi'
//
// It panics unless lo ≤ hi: the caller knows which layer to name.
func (s *Source) Uniform(dst []float32, lo, hi float32) {
	if !(lo <= hi) {
		panic("rng: Uniform needs lo <= hi")
	}
	end := math.Nextafter32(hi, math.MaxFloat32)
	scale := float32(1)
	if end/2-lo/2 > math.MaxFloat32/2 {
		// The width overflows: halves are drawn, and doubled.
		lo, end, scale = lo/2, end/2, 2
	}
	width := end - lo
	for i := range dst {
		x := end
		for !(x < end) {
			// The conversion keeps the compiler from fusing product and sum, which rounds otherwise.
			x = float32(float32(s.Uint32())*0x1p-32*width) + lo
		}
		dst[i] = scale * x
	}
}

// unit draws from [0, 1).
func (s *Source) unit() float32 {
	for {
		if x := float32(s.Uint32()) * 0x1p-32; x < 1 {
			return x
		}
	}
}
