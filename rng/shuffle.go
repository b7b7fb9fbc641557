package rng

import "math"

// Shuffle permutes n elements (n ≤ 2^32) as Caffe permutes the lines of an image list: Fisher–Yates from the last element, each
// exchanged with one drawn from those up to itself. It takes n−1 numbers, more where a draw is rejected.
func (s *Source) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, int(s.upTo(uint32(i))))
	}
}

// upTo draws from 0..last, all equally likely: the numbers are cut into last+1 buckets, what is left over is drawn again.
func (s *Source) upTo(last uint32) uint32 {
	if last == math.MaxUint32 {
		return s.Uint32()
	}
	bucket := math.MaxUint32 / (last + 1)
	if math.MaxUint32%(last+1) == last {
		bucket++
	}
	for {
		if r := s.Uint32() / bucket; r <= last {
			return r
		}
	}
}
