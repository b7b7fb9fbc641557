package rng

import "math"

// Bernoulli sets each element of dst to 1 with probability p in [0, 1], else to 0. It takes one number an element, and none if p is
// 0. Dropout draws its mask so, with p = 1 − dropout_ratio in float64, 1 where the value is kept.
func (s *Source) Bernoulli(dst []float32, p float64) {
	if p == 0 {
		clear(dst)
		return
	}
	// u ≤ p·(2^32−1), in float64
	s.below(dst, uint64(p*math.MaxUint32)+1)
}

// Bernoulli32 is Bernoulli for a probability that Caffe keeps in float32: that of a sparse Gaussian filler. The comparison is in
// float32 too, so that near its threshold it decides otherwise than Bernoulli of the same p.
func (s *Source) Bernoulli32(dst []float32, p float32) {
	if p == 0 {
		clear(dst)
		return
	}
	// float32(u) ≤ p·2^32. Rounding is monotonic: one threshold on u says the same, and is found bit by bit.
	limit := p * 0x1p32
	end := uint64(0)
	for bit := uint64(1) << 32; bit > 0; bit >>= 1 {
		if end+bit <= 1<<32 && float32(uint32(end+bit-1)) <= limit {
			end += bit
		}
	}
	s.below(dst, end)
}

// below sets 1 where the number drawn is less than end.
func (s *Source) below(dst []float32, end uint64) {
	const one = 0x3f800000 // the bits of float32(1)
	for len(dst) > 0 {
		if s.next == stateLen {
			s.refill()
		}
		drawn := s.out[s.next:]
		n := min(len(drawn), len(dst))
		for i, u := range drawn[:n] {
			// The sign of the difference is the answer; a branch would be mispredicted half the time.
			less := uint32((uint64(u) - end) >> 63)
			dst[i] = math.Float32frombits(-less & one)
		}
		s.next += n
		dst = dst[n:]
	}
}
